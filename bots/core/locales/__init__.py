"""Every sentence that members read, in English and French, as Fluent catalogues beside this module.

`{locale}.ftl` has the messages that the server formats. `{part}.{locale}.ftl` has those of another
reader: `page.en.ftl` is served to the playground page, which formats it with Fluent's JavaScript.
"""

from bots.core.locales.catalogues import LOCALES, catalogue, parts
from bots.core.locales.localizer import Localizer, MissingMessage, localizer_for

__all__ = ["LOCALES", "Localizer", "MissingMessage", "catalogue", "localizer_for", "parts"]
