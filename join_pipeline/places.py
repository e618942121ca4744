"""Places: where the files of a connection lie, below the data folder and in the user's config folder.

Belongs here: the path of each file and folder that more than one room names. Not here: what is in them (the rooms), and
the setting of the data folder itself (settings).
"""

from pathlib import Path
from typing import Final

import typer

from join_pipeline.errors import SettingsError

PARQUET: Final = Path("published") / "parquet"
"""The folder of all companies' Parquet files, below the data folder."""


def config_folder() -> Path:
    """The user's config folder. Secrets lie here, outside of the data folder."""
    try:
        found = Path(typer.get_app_dir("join-pipeline", roaming=False)).expanduser()
        # XDG_CONFIG_HOME counts only as a whole path
        return found if found.is_absolute() else Path("~/.config/join-pipeline").expanduser()
    except RuntimeError:
        raise SettingsError("HOME is not set and this user has no home folder. Set HOME or XDG_CONFIG_HOME.") from None


class Places:
    """The paths that follow from the data folder and the connection's name. `Settings` is one."""

    data: Path
    connection: str

    @property
    def is_listed(self) -> bool:
        """Whether the connection is one of many in a file."""
        raise NotImplementedError

    @property
    def home(self) -> Path:
        """The connection's folder, absolute."""
        return self.data.absolute() / self.connection

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The DuckDB file that readers open."""
        return self.home / "published" / "recruiting.duckdb"

    @property
    def people(self) -> Path:
        """The DuckDB file of names and contacts, for readers who may see them. It exists only when switched on."""
        return self.home / "published" / "people.duckdb"

    @property
    def audit_log(self) -> Path:
        """Who made names and contacts readable, and when. Each entry is a line of JSON."""
        return self.home / "audit.log"

    @property
    def report(self) -> Path:
        """The HTML file of the report."""
        return self.published.with_name("report.html")

    @property
    def parquet(self) -> Path:
        """The folder of all companies' published tables as Parquet. A company has files there only if switched on."""
        return self.data.absolute() / PARQUET

    @property
    def portfolio(self) -> Path:
        """The DuckDB file over all companies."""
        return self.data.absolute() / "portfolio.duckdb"

    @property
    def portfolio_report(self) -> Path:
        """The HTML file over all companies."""
        return self.portfolio.with_suffix(".html")

    @property
    def compiled(self) -> Path:
        """The folder of what dbt made of the project, for all connections. No connection's name begins with a dot."""
        return self.data.absolute() / ".dbt"

    @property
    def actions(self) -> Path:
        """The folder of the journal of creations and of the requests that are kept."""
        return self.home / "actions"

    @property
    def builds(self) -> Path:
        """The folder of dbt's target, DuckDB's spill and the report's script. It may be deleted while nothing runs."""
        return self.home / "builds"

    @property
    def token_file(self) -> Path:
        """Where `connect` keeps the connection's token. A token in the environment takes precedence."""
        return config_folder() / "tokens" / self.connection

    @property
    def pseudonym_key_file(self) -> Path:
        """Where the pseudonym key lies if no setting has one. Each connection of a file has its own."""
        folder = config_folder()
        return folder / "keys" / f"{self.connection}.key" if self.is_listed else folder / "pseudonym.key"

    @property
    def creation_key_file(self) -> Path:
        """Where the key of the journal of creations lies, once the pseudonym key was rotated."""
        folder = config_folder()
        return folder / "keys" / f"{self.connection}.creation.key" if self.is_listed else folder / "creation.key"
