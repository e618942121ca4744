"""Places: where the files of a connection lie below the data folder.

Belongs here: the path of each file and folder that more than one room names. Not here: what is in them (the rooms), and
the setting of the data folder itself (settings).
"""

from pathlib import Path


class Places:
    """The paths that follow from the data folder and the connection's name. `Settings` is one."""

    data: Path
    connection: str

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
    def actions(self) -> Path:
        """The folder of the journal of creations and of the requests that are kept."""
        return self.home / "actions"

    @property
    def builds(self) -> Path:
        """The folder of dbt's target, DuckDB's spill and the report's script. It may be deleted while nothing runs."""
        return self.home / "builds"
