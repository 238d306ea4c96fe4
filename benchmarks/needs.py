"""What must be installed besides the collector, and the one line that says so."""

from __future__ import annotations

import shutil
from pathlib import Path

_PROGRAMS = {"wrk": "wrk", "nginx": "nginx"}
_FILES = {
    "nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
    "*/lua/5.1/cjson.so": "lua-cjson",
}


def missing() -> list[str]:
    """Return the Debian packages that are not there."""
    packages = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    return packages + [package for file, package in _FILES.items() if not any(Path("/usr/lib").glob(file))]
