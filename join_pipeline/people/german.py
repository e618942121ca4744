"""The places of a person's data in German, for the page of an export.

Belongs here: names and times of places. Not here: the places themselves (traces), the other words of the page
(export_page).
"""

from collections.abc import Mapping
from typing import Final

_RAW: Final = "{raw_days} Tage; zusammengelegte Dateien bis zum Ende des Tages"
_BUILT: Final = "bis der nächste Build es neu macht"
_FOLDER: Final = "so lange wie der Datenordner"

PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "personal columns of the lake's versions": (
        "Angaben zur Person in den Versionen des Lakes",
        "bis die Quelle die Person nicht mehr zeigt; danach höchstens {raw_days} Tage",
    ),
    "history in the lake's versions": ("Historie in den Versionen des Lakes", "so lange wie der Lake"),
    "raw payloads": ("Rohdaten, wie die Quelle sie geschickt hat", _RAW),
    "quarantine": ("Quarantäne: was nicht gelesen werden konnte", _RAW),
    "records of syncs": ("Protokolle der Syncs", "Ids, bis ihr Datensatz gelesen ist"),
    "identity of the lake": ("Kennung des Lakes", "so lange wie der Lake; nichts über einen Menschen"),
    "warehouse": ("Datenbank für Auswertungen", _BUILT),
    "published names and contacts": ("veröffentlichte Namen und Kontakte", _BUILT),
    "published Parquet files": ("veröffentlichte Parquet-Dateien, unter Pseudonymen", _BUILT),
    "published file for readers": ("veröffentlichte Datei für Leser, unter Pseudonymen", _BUILT),
    "report": ("Bericht", _BUILT),
    "journal of creations": ("Journal der angelegten Bewerbungen", _FOLDER),
    "kept requests": ("aufbewahrte Aufträge", "bis die Quelle alles davon angenommen hat"),
    "requests of Dagster's jobs": ("Aufträge der Jobs von Dagster", "bis jemand sie entfernt"),
    "answers of Dagster's jobs": ("Antworten der Jobs von Dagster", "bis jemand sie entfernt"),
    "saved attachments": ("gespeicherte Anhänge", "bis jemand sie entfernt"),
    "payloads that were mapped": (
        "welche Rohdaten schon gelesen sind",
        "bis zum nächsten vollen Sync; nur Prüfsummen mit Schlüssel und Ids des Lakes",
    ),
    "spool, spill, builds": ("Zwischendateien", "während ein Befehl arbeitet; der nächste leert sie"),
    "erasure under way": ("laufende Löschung", "bis die Löschung endet"),
    "list of erased ids": ("Liste gelöschter Ids", f"{_FOLDER}; nur HMACs"),
    "logs": ("Belege und Leseprotokoll", f"{_FOLDER}; keine Daten von Bewerbern"),
    "audit log": ("Protokoll der Veröffentlichungen", f"{_FOLDER}; Namen von Konten"),
    "older published files": ("ältere veröffentlichte Dateien", "solange ein Programm sie zum Schreiben offen hat"),
    "log of faults": ("Protokoll von Fehlern", "die drei älteren bleiben; keine Daten von Menschen"),
    "notices that were told": ("gesendete Meldungen", f"{_FOLDER}; nur Prüfsummen"),
    "copy of a bucket": ("Kopie eines Buckets", f"{_FOLDER}; nur Pfade, Größen und Prüfsummen"),
    "locks and runs": ("Sperren und Läufe", "nichts über einen Menschen"),
    "Dagster's storage": ("Speicher von Dagster", "wie Dagster eingestellt ist; nur Anzahlen"),
    "statements of dbt": ("Anweisungen von dbt", "bis eine andere Version baut; nur SQL und Beschreibungen"),
    "portfolio": ("Portfolio", "bis `portfolio` es neu macht; nur Zahlen von Firmen"),
    "named with --also": ("mit --also genannte Dateien", "bis jemand sie entfernt"),
    "other files": ("andere Dateien", "bis jemand sie entfernt"),
}
OUTSIDE: Final = (
    "Backups: Eine Löschung erreicht sie nicht.",
    "Ältere Versionen von Objekten in einem Bucket, der sie aufbewahrt.",
    "Kopien, die jemand genommen hat: Exporte, anderswo gespeicherte Anhänge, veröffentlichte Dateien auf anderen"
    " Rechnern.",
    "Ein DAGSTER_HOME anderswo; es hat durch dieses Werkzeug keine Daten von Bewerbern.",
    "Das Bewerbermanagement selbst, aus dem die Daten kommen.",
    "Das Protokoll des Dienstes, der die Pipeline ausführt; es hat keine Daten von Bewerbern.",
)
