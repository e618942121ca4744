"""Query parameters and their checks. A parameter that can't be read gives 422."""

from starlette.requests import Request

from join_pipeline.sandbox import instants
from join_pipeline.sandbox.answers import Refusal
from join_pipeline.sandbox.config import MAX_PAGE_SIZE


def integer(request: Request, name: str, default: int | None = None) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.removeprefix("-").isdigit() and text.isascii() and len(text) < 19):
        raise Refusal(422, f"{name} must be an integer")
    return int(text)


def page(request: Request, page_size: int) -> slice:
    """The requested page as a slice."""
    number, size = integer(request, "page", 1), integer(request, "pageSize", page_size)
    if number is None or number < 1:
        raise Refusal(422, "page must be at least 1")
    if size is None or not 1 <= size <= MAX_PAGE_SIZE:
        raise Refusal(422, f"pageSize must lie between 1 and {MAX_PAGE_SIZE}")
    size = min(size, page_size)
    return slice((number - 1) * size, number * size)


def instant(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        # a plus that the client did not encode arrives as a space
        return instants.parse(text.replace(" ", "+"))
    except ValueError as error:
        raise Refusal(422, f"{name} must be an ISO 8601 instant") from error


def language(request: Request) -> str:
    """`de`, or English for every other language."""
    code = request.query_params.get("language", "en")
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise Refusal(422, "language must be an ISO 639-1 code")
    return "de" if code.lower() == "de" else "en"
