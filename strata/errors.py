"""The exceptions that Strata raises on purpose; every message names the place, the rule and the remedy.

StrataError
├── SettingsError      params.yaml: unknown key, wrong type, value out of range
├── SourceError        raw data: missing file or column, wrong type, unreadable file
├── ValidationFailed   a critical expectation on a table does not hold
├── FetchError         a packaged data set or model cannot be fetched, or is not what was pinned
├── EncoderError       a language model cannot be loaded or gives unusable vectors
├── ReleaseError       a release is incomplete, altered or of another format
├── UnknownId          a user, item or point that this release does not hold
└── StoreError         the journal of what happens while a release serves
    ├── StoreUnavailable   it cannot be reached, or is damaged
    ├── StoreFull          there is no room for more
    └── Conflict           an id is there already, with other content
"""


class StrataError(Exception):
    """Base of all errors that a caller of Strata may want to catch."""


class SettingsError(StrataError):
    """A setting is unknown, of the wrong type or out of range."""


class SourceError(StrataError):
    """Raw data cannot be read as the column map says."""


class ValidationFailed(StrataError):
    """A table breaks a critical expectation, so nothing after it may run."""


class FetchError(StrataError):
    """A packaged data set or model could not be fetched or is not the pinned one."""


class EncoderError(StrataError):
    """A language model cannot be loaded or returns unusable vectors."""


class ReleaseError(StrataError):
    """A release is incomplete, altered or of a format this version does not read."""


class UnknownId(StrataError):
    """An id that the release at hand does not hold."""


class StoreError(StrataError):
    """The journal did not do what was asked; nothing of it was half done."""


class StoreUnavailable(StoreError):
    """The journal cannot be reached just now, or is damaged."""


class StoreFull(StoreError):
    """The journal has no room for more records."""


class Conflict(StoreError):
    """A record's id is there already, with other content."""
