"""Upload files as one commit to a model repository on a Hugging Face hub.

Everything goes through huggingface_hub: HF_ENDPOINT, its token (HF_TOKEN or `hf auth login`), its bars. All files come
in one commit, so that an upload that was interrupted leaves the repository as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from headstart.errors import HeadstartError, InputError, OptionError, one_line, shortened
from headstart.sources.hub import quiet_bars, transport_error

_LOGIN = "set HF_TOKEN to a token with write access, or run `hf auth login`"


def check_repository(repository: str) -> None:
    """Refuse a name that no repository can have, and an upload without a token.

    Args:
        repository: USER/NAME.

    Raises:
        OptionError: the name is not one.
        InputError: there is no token, or it or the address of the hub cannot be one.
    """
    from huggingface_hub import constants, get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)
        is_name = isinstance(repository, str) and repository.count("/") == 1
    except HFValidationError:
        is_name = False
    if not is_name:
        raise OptionError(f"'{repository}' is not a hub repository's name: write USER/NAME")
    _check_endpoint(constants.ENDPOINT)
    token = get_token()
    if token is None:
        raise InputError(f"push needs a token of the hub: {_LOGIN}")
    if re.fullmatch("[!-~]+", token) is None:
        raise InputError(f"the token of the hub holds a character that no token has: {_LOGIN}")


def _check_endpoint(endpoint: str) -> None:
    """Refuse an address that no hub can have.

    Raises:
        InputError: it is not http(s)://HOST[:PORT][/PATH].
    """
    try:
        parts = urlsplit(endpoint)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        is_one = False
    if not is_one or re.search(r"\s", endpoint):
        raise InputError(
            f"HF_ENDPOINT is {shortened(repr(endpoint))}, which is not the address of a hub: set it to one such as "
            "https://huggingface.co, or unset it"
        )


def upload(repository: str, files: Mapping[str, Path | bytes], *, public: bool, message: str) -> str:
    """Make the repository if there is none, and add the files in one commit.

    Args:
        repository: USER/NAME.
        files: name in the repository to a file or its content.
        public: whether everybody may read it; an existing repository keeps what it has.
        message: of the commit.

    Returns:
        The address of the repository.

    Raises:
        InputError: the hub refuses; or the repository is public, and `public` is False.
        HeadstartError: the hub cannot be reached, or the connection broke.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi()
    operations = [
        CommitOperationAdd(name, held if isinstance(held, bytes) else str(held))
        for name, held in files.items()
    ]
    with _as_one_message(repository, str(api.endpoint)), quiet_bars():
        made = api.create_repo(repository, private=not public, exist_ok=True)
        if not public and not api.model_info(repository).private:
            raise InputError(
                f"{repository} is public: pass --public to share the run with everybody, or name another repository"
            )
        api.create_commit(repository, operations, commit_message=message)
    return str(made)


@contextmanager
def _as_one_message(repository: str, endpoint: str) -> Iterator[None]:
    """Turn what the hub or the connection says into one message."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    again = "nothing of this upload is visible there; give the command again"
    try:
        yield
    except HeadstartError:
        raise
    except OfflineModeIsEnabled:
        raise InputError("HF_HUB_OFFLINE is set: push needs the hub, so unset it") from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if status == 401:
            raise InputError(f"{endpoint} does not accept the token for {repository}: {_LOGIN}") from None
        if status in (402, 403):
            raise InputError(
                f"{endpoint} refuses to write to {repository}: check the owner's name, and that the token may write "
                f"there ({one_line(error)})"
            ) from None
        if status == 404:
            raise InputError(
                f"{endpoint} has no place to upload to ({one_line(error)}): check HF_ENDPOINT"
            ) from None
        raise HeadstartError(f"the upload to {repository} failed ({one_line(error)}): {again}") from None
    except (transport_error(), OSError, RuntimeError) as error:
        cause = error.__cause__ or error
        raise HeadstartError(f"{endpoint} cannot be reached ({one_line(cause)}): {again}") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # an answer that no hub gives
        raise InputError(
            f"{endpoint} does not answer as a hub does ({one_line(error)}): check HF_ENDPOINT"
        ) from None
