"""ClickHouse's engine (chdb) behind the part of its HTTP interface that the sink speaks.

``python -m tests.sinks.chdb_server PORT FOLDER``. Statements and data go to the engine as they come.
"""

from __future__ import annotations

import re
import sys

from aiohttp import web
from chdb.session import Session

from tests.sinks.servers import PASSWORD

_STATUS = {"60": 404, "81": 404, "516": 403}
_OF_THE_DATA = {"6", "26", "27", "33", "38", "41", "53", "62", "72", "117"}  # as HTTPHandler.cpp has them
_NO_SETTING = {"query", "wait_end_of_query"}


class Engine:
    """One session, in which one statement runs at a time."""

    def __init__(self, folder: str) -> None:
        self._session = Session(folder)

    async def ask(self, request: web.Request) -> web.Response:
        """Run a statement, as ClickHouse does with what is posted to it."""
        if request.headers.get("X-ClickHouse-Key") != PASSWORD:
            return _failed("Code: 516. DB::Exception: default: Authentication failed: password is incorrect.")
        statement = request.query.get("query", "") + "\n" + (await request.read()).decode()
        try:
            for name, value in request.query.items():
                if name not in _NO_SETTING:
                    self._session.query(f"SET {name} = '{value}'")
            return web.Response(body=self._session.query(statement).bytes())
        except Exception as error:  # noqa: BLE001 - chdb has no closer one
            return _failed(str(error))


def _failed(message: str) -> web.Response:
    match = re.search(r"Code: (\d+)", message)
    code = match[1] if match else "0"
    status = 400 if code in _OF_THE_DATA else _STATUS.get(code, 500)
    return web.Response(status=status, text=message, headers={"X-ClickHouse-Exception-Code": code})


def main(port: int, folder: str) -> None:
    application = web.Application(client_max_size=1024**3)
    application.router.add_post("/", Engine(folder).ask)
    web.run_app(application, host="127.0.0.1", port=port, print=None, reuse_address=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
