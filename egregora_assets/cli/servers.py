"""`serve`, which shows the built blog, and `dev`, which opens the Dagster UI on a site."""

from __future__ import annotations

import errno
import os
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from egregora_resources.errors import UserError
from egregora_resources.site.folder import SiteFolder

_HOST = "127.0.0.1"
_NAMES = {"localhost", _HOST}


class BlogHandler(SimpleHTTPRequestHandler):
    """Serves the built site's files as they are on disk now, to this machine's own browser only."""

    def do_GET(self) -> None:
        if self._is_ours():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self._is_ours():
            super().do_HEAD()

    def _is_ours(self) -> bool:
        """Refuses names that a foreign page has pointed at this machine, so that it can't read the blog."""
        if self.headers.get("Host", "").rsplit(":", 1)[0] in _NAMES:
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """The terminal stays quiet."""


def open_server(built: Path, port: int | None) -> ThreadingHTTPServer:
    """A server of the folder `built`, on `port` or, without one, on the first free one from 8000."""
    for candidate in range(8000, 8100) if port is None else [port]:
        try:
            return ThreadingHTTPServer((_HOST, candidate), partial(BlogHandler, directory=str(built)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or port is not None:
                raise _unusable(candidate, error) from None
    raise UserError("Ports 8000 to 8099 are all in use. Choose another with --port.")


def _unusable(port: int, error: OSError) -> UserError:
    return UserError(f"Port {port} can't be used: {error.strerror}. Choose another with --port.")


def serve(site: Path, port: int | None) -> None:
    """Serves the site until Ctrl-C."""
    built = SiteFolder(site).built
    if not (built / "index.html").exists():
        raise UserError(f"{site} has no built blog yet. Write it: egregora write EXPORT --site {site}")
    with open_server(built, port) as server:
        print(f"The blog is at http://localhost:{server.server_address[1]}/ (Ctrl-C ends)", flush=True)  # noqa: T201
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()  # noqa: T201


def dev(site: Path, port: int) -> None:
    """Becomes `dagster dev` on the site."""
    from egregora_assets.graph.dagster_instance import site_instance
    from egregora_resources.site.settings import load_settings

    load_settings(site)
    try:
        # Dagster would stay up without a page of its own, and the address show another site.
        ThreadingHTTPServer((_HOST, port), BlogHandler).server_close()
    except OSError as error:
        raise _unusable(port, error) from None
    root = site.resolve()
    with site_instance(root):
        pass  # opened once: of a storage that can't be, Dagster would tell in a traceback
    command = [sys.executable, "-m", "dagster", "dev", "-m", "egregora_assets.definitions"]
    print(f"The Dagster UI on {site}: http://localhost:{port}/ (Ctrl-C ends)", flush=True)  # noqa: T201
    os.chdir(root)
    os.execve(sys.executable, [*command, "--host", _HOST, "--port", str(port)], {**os.environ})
