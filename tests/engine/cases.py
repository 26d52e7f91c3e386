"""The images: what people write, with the programs that they run, and how each ends when it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.engine.bases import BUSYBOX, DEBIAN, LARGE, LARGE_PACKAGES


class Case(NamedTuple):
    """An image: its Dockerfile, its files (all of them executable), what is compiled into it, and how it ends.

    `pid1` is what /proc/1/cmdline holds, its words joined by blanks, and `code` what the container exits with, where a
    case says so.
    """

    name: str
    outcome: str
    dockerfile: str
    files: Mapping[str, str] = {}
    programs: Mapping[str, str] = {}
    pid1: str = ""
    code: int | None = None

    @property
    def base(self) -> str:
        """The image that it is built upon."""
        name = self.dockerfile.split()[1]
        return next((base for base in (BUSYBOX, DEBIAN, LARGE) if base.endswith(f"/{name}")), "")


SCRIPT = 'COPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]\n'
NODE_HANDLES = "const s = require('net').createServer().listen(0);\nprocess.on('SIGTERM', () => process.exit(0));\n"
NODE_PLAIN = "require('net').createServer().listen(0);\n"
PYTHON_HANDLES = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsignal.pause()\n"
PYTHON_PLAIN = "import time\nwhile True:\n    time.sleep(1)\n"
WSGI = "def app(environ, start):\n    start('200 OK', [])\n    return [b'x']\n"
ASGI = "async def app(scope, receive, send):\n    pass\n"
PACKAGE = '{"name": "app", "version": "1.0.0", "scripts": {"start": "node app.js"}}\n'
HAPROXY = (
    "defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\nlisten a\n  bind :8080\n"
)


def busybox(name: str, outcome: str, dockerfile: str, files: Mapping[str, str] = {}, **programs: str) -> Case:
    return Case(name, outcome, f"FROM busybox:1.35\n{dockerfile}", files, _named(programs))


def debian(name: str, outcome: str, dockerfile: str, files: Mapping[str, str] = {}, **programs: str) -> Case:
    return Case(name, outcome, f"FROM debian:12\n{dockerfile}", files, _named(programs))


def installed(packages: str, name: str, outcome: str, dockerfile: str, files: Mapping[str, str] = {}) -> Case:
    """On Debian, with packages that the base has: the RUN finds them there."""
    run = f"RUN apt-get install -y --no-install-recommends {packages}\n"
    tag = "bookworm" if set(packages.split()) & set(LARGE_PACKAGES) else "12"
    return Case(name, outcome, f"FROM debian:{tag}\n{run}{dockerfile}", files)


def _named(programs: Mapping[str, str]) -> Mapping[str, str]:
    return {path.replace("_", "."): name for path, name in programs.items()}


JAVA = "COPY app.jar /app/app.jar\nWORKDIR /app\n"
ENTRY = "COPY entrypoint.sh /app/entrypoint.sh\n"
NO_EXEC = {"entrypoint.sh": "#!/bin/sh\nset -e\n\njava -jar app.jar\n"}
EXEC = {"entrypoint.sh": "#!/bin/sh\nset -e\n\nexec java -jar app.jar\n"}
JRE, INIT_AND_JRE = "default-jre-headless", "default-jre-headless dumb-init"


def java(packages: str, name: str, outcome: str, dockerfile: str, files: Mapping[str, str] = {}) -> Case:
    return installed(packages, name, outcome, JAVA + dockerfile, files)._replace(programs={"app.jar": "app.jar"})


CLASSIC = (
    java(JRE, "java in exec form", "graceful", 'CMD ["java", "-jar", "app.jar"]\n')._replace(
        pid1="java -jar app.jar", code=143),
    java(JRE, "a script without exec", "hang", ENTRY + 'ENTRYPOINT ["/app/entrypoint.sh"]\n', NO_EXEC)._replace(
        pid1="/bin/sh /app/entrypoint.sh", code=137),
    java(JRE, "a script with exec", "graceful", ENTRY + 'ENTRYPOINT ["/app/entrypoint.sh"]\n', EXEC)._replace(
        pid1="java -jar app.jar", code=143),
    java(INIT_AND_JRE, "dumb-init and a script without exec", "abrupt",
         ENTRY + 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/app/entrypoint.sh"]\n', NO_EXEC)._replace(
        pid1="/usr/bin/dumb-init -- /app/entrypoint.sh", code=143),
    java(INIT_AND_JRE, "dumb-init and a script with exec", "graceful",
         ENTRY + 'ENTRYPOINT ["/usr/bin/dumb-init", "--", "/app/entrypoint.sh"]\n', EXEC)._replace(
        pid1="/usr/bin/dumb-init -- /app/entrypoint.sh", code=143),
    java(JRE, "a script of another name", "fails",
         'COPY ./entrypoint.sh entrypoint.sh\nENTRYPOINT ["/app/entrypoint-exec.sh"]\n', EXEC),
)  # fmt: skip

FEW = (
    busybox("busybox's server has no handler", "hang", 'CMD ["httpd", "-f"]\n'),
    busybox("a C program with a handler", "graceful", 'COPY app /app\nCMD ["/app"]\n', app="c-handles-static"),
    busybox("busybox execs the last command of a string", "graceful", "COPY app /app\nCMD cd / && /app\n",
            app="c-handles-static"),
    busybox("a script that waits for its app", "graceful", SCRIPT + "COPY app /app\n",
            {"run.sh": "#!/bin/sh\n/app &\npid=$!\ntrap 'kill $pid; wait $pid' TERM\nwait $pid\n"},
            app="c-handles-static"),
    busybox("a script that does not exec", "hang", SCRIPT + "COPY app /app\n", {"run.sh": "#!/bin/sh\n/app\ntrue\n"},
            app="c-handles-static"),
    busybox("a script that leaves its app behind", "abrupt", SCRIPT + "COPY app /app\n",
            {"run.sh": "#!/bin/sh\ntrap 'exit 0' TERM\n/app &\nwait\n"}, app="c-handles-static"),
    busybox("a script that is not there", "fails", 'COPY run.sh /run.sh\nCMD ["/start.sh"]\n',
            {"run.sh": "#!/bin/sh\nexec sleep 1000\n"}),
    Case("scratch", "graceful", 'FROM scratch\nCOPY app /app\nCMD ["/app"]\n', {}, {"app": "c-handles-static"}),
)  # fmt: skip

SHELLS = (
    busybox("tail keeps the container", "hang", 'CMD ["tail", "-f", "/dev/null"]\n'),
    busybox("a trap on EXIT alone", "hang", SCRIPT + "COPY app /app\n",
            {"run.sh": "#!/bin/sh\ntrap 'echo bye' EXIT\n/app\n"}, app="c-handles-static"),
    debian("shell form under dash", "hang", "COPY app /app\nCMD cd / && /app\n", app="c-handles"),
    debian("shell form with exec", "graceful", "COPY app /app\nCMD cd / && exec /app\n", app="c-handles"),
    debian("bash -c execs the last command", "graceful",
           'COPY app /app\nCMD ["bash", "-c", "cd / && /app"]\n', app="c-handles"),
    debian("bash with an EXIT trap", "abrupt", SCRIPT + "COPY app /app\n",
           {"run.sh": "#!/bin/bash\ntrap 'echo bye' EXIT\n/app\n"}, app="c-handles"),
    debian("a handler of the app's, and a pipe", "hang", SCRIPT + "COPY app /app\n",
           {"run.sh": "#!/bin/sh\n/app | cat\n"}, app="c-handles"),
    debian("the app in a function", "hang", SCRIPT + "COPY app /app\n",
           {"run.sh": "#!/bin/bash\nmain() { /app; }\nmain\n"}, app="c-handles"),
    debian("the arguments of CMD", "graceful", SCRIPT + 'COPY app /app\nCMD ["/app"]\n',
           {"run.sh": '#!/bin/sh\nset -e\necho starting\nexec "$@"\n'}, app="c-handles"),
    debian("an ignored signal is inherited", "hang", SCRIPT + "COPY app /app\n",
           {"run.sh": "#!/bin/sh\ntrap '' TERM\nexec /app\n"}, app="c-plain"),
    debian("STOPSIGNAL KILL", "abrupt", 'STOPSIGNAL SIGKILL\nCOPY app /app\nCMD ["/app"]\n', app="c-handles"),
)  # fmt: skip

LANGUAGES = (
    debian("Go without a handler", "abrupt", 'COPY app /app\nCMD ["/app"]\n', app="go-plain"),
    debian("Go that asks for the signal", "graceful", 'COPY app /app\nCMD ["/app"]\n', app="go-notifies"),
    debian("Rust without a handler", "hang", 'COPY app /app\nCMD ["/app"]\n', app="rust-plain"),
    debian("C without a handler", "hang", 'COPY app /app\nCMD ["/app"]\n', app="c-plain"),
    installed("tini", "Rust below tini", "abrupt", 'COPY app /app\nENTRYPOINT ["tini", "--"]\nCMD ["/app"]\n')._replace(
        programs={"app": "rust-plain"}),
    installed("nodejs", "Node without a handler", "hang", 'COPY app.js .\nCMD ["node", "app.js"]\n',
              {"app.js": NODE_PLAIN}),
    installed("nodejs", "Node with a handler", "graceful", 'COPY app.js .\nCMD ["node", "app.js"]\n',
              {"app.js": NODE_HANDLES}),
    installed("nodejs tini", "Node without a handler below tini", "abrupt",
              'COPY app.js .\nENTRYPOINT ["tini", "--"]\nCMD ["node", "app.js"]\n', {"app.js": NODE_PLAIN}),
    installed("nodejs npm", "npm start", "abrupt", 'WORKDIR /app\nCOPY . .\nCMD ["npm", "start"]\n',
              {"app.js": NODE_HANDLES, "package.json": PACKAGE}),
    installed("python3", "Python without a handler", "hang", 'COPY app.py .\nCMD ["python3", "app.py"]\n',
              {"app.py": PYTHON_PLAIN}),
    installed("python3", "Python with a handler", "graceful", 'COPY app.py .\nCMD ["python3", "app.py"]\n',
              {"app.py": PYTHON_HANDLES}),
    installed("python3", "Python on INT", "graceful",
              'COPY app.py .\nSTOPSIGNAL SIGINT\nCMD ["python3", "app.py"]\n', {"app.py": PYTHON_PLAIN}),
    installed("ruby", "Ruby", "graceful", 'COPY app.rb .\nCMD ["ruby", "app.rb"]\n', {"app.rb": "sleep\n"}),
    installed("perl", "Perl", "hang", 'COPY app.pl .\nCMD ["perl", "app.pl"]\n', {"app.pl": "sleep 1 while 1;\n"}),
    installed("php8.2-cli", "PHP's own server", "hang", 'CMD ["php8.2", "-S", "127.0.0.1:8000"]\n'),
)  # fmt: skip

SERVERS = (
    installed("nginx-light", "nginx on TERM", "abrupt", 'CMD ["nginx", "-g", "daemon off;"]\n'),
    installed("nginx-light", "nginx on QUIT", "graceful", 'STOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]\n'),
    installed("nginx-light", "nginx in the background", "exits", 'CMD ["nginx"]\n'),
    installed("nginx-light", "nginx in a script without exec", "hang", SCRIPT,
              {"run.sh": "#!/bin/sh\nnginx -g 'daemon off;'\n"}),
    installed("apache2", "apache by its own script", "hang", 'CMD ["apache2ctl", "-D", "FOREGROUND"]\n'),
    installed("apache2", "apache on WINCH", "graceful", "STOPSIGNAL SIGWINCH\n" + SCRIPT,
              {"run.sh": "#!/bin/sh\n. /etc/apache2/envvars\nmkdir -p $APACHE_RUN_DIR\nexec apache2 -DFOREGROUND\n"}),
    installed("lighttpd", "lighttpd", "abrupt", 'CMD ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]\n'),
    installed("redis-server", "redis", "graceful", 'CMD ["redis-server", "--save", ""]\n'),
    installed("redis-server gosu", "redis as its user by gosu", "graceful", SCRIPT + 'CMD ["redis-server"]\n',
              {"run.sh": '#!/bin/sh\nset -e\nexec gosu redis "$@" --dir /tmp\n'}),
    installed("redis-server", "redis in the background", "exits", 'CMD ["redis-server", "--daemonize", "yes"]\n'),
    installed("redis-server", "redis by su", "abrupt", SCRIPT,
              {"run.sh": "#!/bin/sh\nexec su redis -s /bin/sh -c 'cd /tmp; redis-server'\n"}),
    installed("postgresql-15", "postgres on INT", "graceful",
              "RUN mkdir /data && chown postgres /data && su postgres -c '/usr/lib/postgresql/15/bin/initdb -D /data'\n"
              'USER postgres\nSTOPSIGNAL SIGINT\nCMD ["/usr/lib/postgresql/15/bin/postgres", "-D", "/data"]\n'),
    installed("mariadb-server", "mariadbd", "graceful",
              "RUN mkdir -p /run/mysqld && chown mysql /run/mysqld\nUSER mysql\n"
              'CMD ["mariadbd"]\n'),
    installed("memcached", "memcached", "graceful", 'CMD ["memcached", "-u", "nobody"]\n'),
    installed("haproxy", "haproxy without a master", "hang", 'COPY h.cfg /h.cfg\nCMD ["haproxy", "-f", "/h.cfg"]\n',
              {"h.cfg": HAPROXY}),
    installed("haproxy", "haproxy with a master", "abrupt",
              'COPY h.cfg /h.cfg\nCMD ["haproxy", "-W", "-f", "/h.cfg"]\n', {"h.cfg": HAPROXY}),
    installed("php8.2-fpm", "php-fpm on QUIT", "graceful",
              'RUN mkdir -p /run/php\nSTOPSIGNAL SIGQUIT\nCMD ["php-fpm8.2", "-F"]\n'),
    installed("gunicorn", "gunicorn", "graceful",
              'COPY app.py .\nCMD ["gunicorn", "-b", "127.0.0.1:8000", "app:app"]\n',
              {"app.py": WSGI}),
    installed("gunicorn", "gunicorn in shell form", "hang",
              "COPY app.py .\nCMD gunicorn -b 127.0.0.1:8000 app:app\n", {"app.py": WSGI}),
    installed("uvicorn", "uvicorn", "graceful", 'COPY app.py .\nCMD ["uvicorn", "app:app"]\n', {"app.py": ASGI}),
    installed("celery", "celery", "graceful",
              'COPY tasks.py .\nCMD ["celery", "-A", "tasks", "worker", "--pool", "solo"]\n',
              {"tasks.py": "from celery import Celery\napp = Celery(broker='memory://')\n"}),
    installed("uwsgi-core", "uwsgi on TERM", "hang",
              'COPY app.py .\nCMD ["uwsgi", "--master", "--plugin", "python3", "--http-socket", ":8000", "--module", '
              '"app:app"]\n', {"app.py": WSGI}),
    installed("mosquitto", "mosquitto", "graceful", 'CMD ["mosquitto"]\n'),
    installed("dnsmasq-base", "dnsmasq", "graceful", 'CMD ["dnsmasq", "-k", "-p", "5353", "-u", "root"]\n'),
    installed("cron", "cron", "hang", 'CMD ["cron", "-f"]\n'),
    installed("cron", "cron in the background", "exits", 'CMD ["cron"]\n'),
    installed("openssh-server", "sshd", "graceful",
              'RUN mkdir -p /run/sshd\nCMD ["/usr/sbin/sshd", "-D"]\n'),
    installed("rsyslog", "rsyslog", "graceful", 'CMD ["rsyslogd", "-n"]\n'),
)  # fmt: skip

SUPERVISORS = (
    installed("supervisor", "supervisord", "graceful",
              'COPY app /app\nCOPY s.conf /s.conf\nCMD ["supervisord", "-n", "-c", "/s.conf"]\n',
              {"s.conf": "[supervisord]\nuser=root\n[program:app]\ncommand=/app\n"})._replace(
                  programs={"app": "c-handles"}),
    installed("s6", "s6-svscan", "graceful",
              'COPY app /app\nCOPY run /services/app/run\nCMD ["s6-svscan", "/services"]\n',
              {"run": "#!/bin/sh\nexec /app\n"})._replace(programs={"app": "c-handles"}),
    installed("tini", "tini and a script without exec", "abrupt",
              'COPY app /app\nCOPY run.sh /run.sh\nENTRYPOINT ["tini", "--", "/run.sh"]\n',
              {"run.sh": "#!/bin/sh\n/app\ntrue\n"})._replace(programs={"app": "c-handles"}),
    installed("catatonit", "catatonit", "graceful",
              'COPY app /app\nENTRYPOINT ["catatonit", "--"]\nCMD ["/app"]\n')._replace(programs={"app": "c-handles"}),
    installed("dumb-init", "dumb-init", "graceful",
              'COPY app /app\nENTRYPOINT ["dumb-init"]\nCMD ["/app"]\n')._replace(programs={"app": "c-handles"}),
    installed("sudo", "sudo", "graceful", 'COPY app /app\nCMD ["sudo", "-u", "nobody", "/app"]\n')._replace(
        programs={"app": "c-handles"}),
    installed("gosu", "gosu", "graceful", 'COPY app /app\nCMD ["gosu", "nobody", "/app"]\n')._replace(
        programs={"app": "c-handles"}),
    debian("setpriv", "graceful",
           'COPY app /app\nCMD ["setpriv", "--reuid=65534", "--clear-groups", "/app"]\n', app="c-handles"),
    debian("timeout", "graceful", 'COPY app /app\nCMD ["timeout", "1000", "/app"]\n', app="c-handles"),
    debian("flock", "hang", 'COPY app /app\nCMD ["flock", "/tmp/lock", "/app"]\n', app="c-handles"),
    debian("su", "abrupt",
           'COPY app /app\nCMD ["su", "-s", "/bin/sh", "root", "-c", "cd /; /app"]\n', app="c-handles"),
)  # fmt: skip

ALL = (*FEW, *CLASSIC, *SHELLS, *LANGUAGES, *SERVERS, *SUPERVISORS)
