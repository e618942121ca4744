"""The options of the source Kombo."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from join_pipeline.errors import SettingsError
from join_pipeline.http.network import checked_url
from join_pipeline.sources.options import Options

NAME: Final = "kombo"


class KomboOptions(Options):
    """Kombo's own options."""

    kombo_api_key: SecretStr | None = Field(
        None, validation_alias="KOMBO_API_KEY", description="Kombo's API key, without `Bearer`"
    )
    kombo_integration_id: SecretStr | None = Field(
        None, validation_alias="KOMBO_INTEGRATION_ID", description="Kombo's id of the integration, `join:…`"
    )
    kombo_api_url: Annotated[str, AfterValidator(checked_url)] = Field(
        "https://api.kombo.dev/v1",
        validation_alias="KOMBO_API_URL",
        description="Address of Kombo's API; each region has its own host",
    )
    kombo_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias="KOMBO_WEBHOOK_SECRET",
        description="Secret by which `listen` checks the signature of Kombo's webhooks",
    )
    kombo_staleness_hours: float = Field(
        10.0,
        ge=0,
        le=168,
        validation_alias="JOIN_PIPELINE_KOMBO_STALENESS_HOURS",
        description="How many hours old Kombo's responses may be: the time between its own syncs",
    )

    @property
    def lake_seed(self) -> str | None:
        return None if self.kombo_integration_id is None else self.kombo_integration_id.get_secret_value().strip()

    def credentials(self) -> tuple[str, str]:
        """API key and integration id. Raises `SettingsError`, which says how to set them."""
        fields = {"KOMBO_API_KEY": self.kombo_api_key, "KOMBO_INTEGRATION_ID": self.kombo_integration_id}
        given = {name: secret.get_secret_value().strip() if secret else "" for name, secret in fields.items()}
        if missing := [name for name, text in given.items() if not text]:
            raise SettingsError(
                f"{' and '.join(missing)} not set. In Kombo's dashboard: the key under Secrets, the id on the "
                "integration's page. Then: export KOMBO_API_KEY=… KOMBO_INTEGRATION_ID=join:…"
            )
        for name, text in given.items():
            if not text.isascii() or not text.isprintable() or " " in text:
                raise SettingsError(f"{name} has blanks or characters that it can't have. Copy it again.")
        return given["KOMBO_API_KEY"], given["KOMBO_INTEGRATION_ID"]

    def webhook_secret(self) -> str:
        """The secret that Kombo signs webhooks with. Raises `SettingsError`, which says how to set it."""
        secret = self.kombo_webhook_secret.get_secret_value().strip() if self.kombo_webhook_secret else ""
        if not secret:
            raise SettingsError(
                "KOMBO_WEBHOOK_SECRET is not set. In Kombo's dashboard: the webhook's secret; export it, then listen "
                "again."
            )
        return secret
