"""The rules, without the component around them."""

import mimetypes

METADATA = "metadata."
UNKNOWN_TYPE = "unknown-type"

# Only what Python itself knows: a file of the machine that builds would make the
# component another one.
mimetypes.init(files=[])
# Asked once while the component is built: Python looks for the modules that this takes
# when it is first called, and a policy has no files to find them in.
mimetypes.guess_type("x.txt")

# A compressed file is its compression; no caller asked to have it unpacked on the way.
COMPRESSED = {
    "br": "application/x-brotli",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}


class Refused(Exception):
    """Why a call is refused, for whoever made it."""


class Defaults:
    """What a put gets where its caller did not say it."""

    def __init__(self, settings: list[tuple[str, str]]):
        """Reads the settings; one that is wrong or unknown refuses every call."""
        self.metadata: dict[str, str] = {}
        self.refuse_unknown = False
        for name, value in settings:
            if name.startswith(METADATA) and name != METADATA:
                self.metadata[name.removeprefix(METADATA)] = value
            elif name == UNKNOWN_TYPE and value in ("pass", "refuse"):
                self.refuse_unknown = value == "refuse"
            elif name == UNKNOWN_TYPE:
                raise Refused(f"the setting `{name}` is `pass` or `refuse`")
            else:
                raise Refused(
                    f"there is no setting `{name}`: this policy knows "
                    f"`{METADATA}NAME` and `{UNKNOWN_TYPE}`"
                )

    def content_type(self, key: str, given: str | None) -> str | None:
        """The caller's, or what the ending of the key tells."""
        if given is not None:
            return given
        # A `;` or a `:` in a key would be read as part of a URL.
        told, compression = mimetypes.guess_type("x" + suffixes(key))
        content_type = COMPRESSED.get(compression) if compression else told
        if content_type is None and self.refuse_unknown:
            raise Refused(
                f"the content type of {key} is not given, and its ending does not tell: "
                "give one, or choose a key like report.txt"
            )
        return content_type

    def with_metadata(self, given: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The caller's, and ours of other names; upper and lower case are the same."""
        names = {name.lower() for name, _ in given}
        ours = [pair for pair in self.metadata.items() if pair[0].lower() not in names]
        return given + ours


def suffixes(key: str) -> str:
    """The last two endings of a key, for `.tar.gz` is two."""
    name = key.rpartition("/")[2]
    return "".join("." + ending for ending in name.split(".")[1:][-2:])
