"""The servers of others, from Debian's packages, with the configurations of bench/peers/. A name says the settings:
nginx[-threads-N | -workers-N][-cache]; lighttpd; h2o; apache; caddy. Words between @ in a configuration are filled in
here."""

import pathlib
import pwd
import os
import re
import subprocess

from .failure import Unavailable
from .programs import PEERS, first_line_of, is_root, system

NGINX = re.compile(r"nginx(?:-(?P<what>threads|workers)-(?P<number>[1-9]\d*))?(?P<cache>-cache)?")
PROGRAMS = {"nginx": "nginx", "lighttpd": "lighttpd", "h2o": "h2o", "apache": "apache2", "caddy": "caddy"}
VERSION_FLAGS = {"nginx": "-v", "lighttpd": "-v", "h2o": "--version", "apache": "-v", "caddy": "version"}


def family(name):
    return "nginx" if NGINX.fullmatch(name) else name


def is_known(name):
    return family(name) in PROGRAMS


def settings_of_nginx(name):
    match = NGINX.fullmatch(name)
    number = match["number"]
    is_threaded = match["what"] == "threads"
    return {
        "WORKERS": number if match["what"] == "workers" else "1",
        "THREAD_POOL": f"thread_pool default threads={number} max_queue=65536;" if is_threaded else "",
        "AIO": "aio threads;" if is_threaded else "aio off;",
        "OPEN_FILE_CACHE": "max=8192 inactive=60s" if match["cache"] else "off",
    }


def fill_in(template, values):
    """Every @WORD@ of the template must have a value."""
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), template)


def user():
    """Who the server runs as: we ourselves, except that Apache refuses root."""
    return pwd.getpwuid(os.geteuid()).pw_name


def command_of(name, tree, scratch, port):
    """The command line and what is added to the environment."""
    if not is_known(name):
        raise Unavailable(f"no server is called {name}")
    kind = family(name)
    program = system(PROGRAMS[kind])
    own = scratch / "peer"
    own.mkdir(parents=True, exist_ok=True)
    values = {"PORT": port, "ROOT": tree, "SCRATCH": own, "USER": user(),
              "USER_NOT_ROOT": "www-data" if is_root() else user()}
    if kind == "nginx":
        values.update(settings_of_nginx(name))
    template = next(pathlib.Path(PEERS).glob(f"{kind}.*"))
    configuration = own / template.name
    configuration.write_text(fill_in(template.read_text(encoding="utf-8"), values), encoding="utf-8")
    # Apache's workers have given up root by the time they open these.
    own.chmod(0o777)
    at = str(configuration)
    return {
        "nginx": ([program, "-p", str(own), "-c", at, "-e", str(own / "error.log")], {}),
        "lighttpd": ([program, "-D", "-f", at], {}),
        "h2o": ([program, "-m", "worker", "-c", at], {}),
        "apache": ([program, "-D", "FOREGROUND", "-f", at], {}),
        "caddy": ([program, "run", "--config", at, "--adapter", "caddyfile"],
                  {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(own), "XDG_CONFIG_HOME": str(own), "HOME": str(own)}),
    }[kind]


def version(name):
    """As the program says it; None if it is not there."""
    kind = family(name)
    try:
        return first_line_of([system(PROGRAMS[kind]), VERSION_FLAGS[kind]])
    except (Unavailable, OSError, subprocess.TimeoutExpired):
        return None
