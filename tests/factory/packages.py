"""Which programs Debian's smallest system holds, and which package brings which program: from Debian's own lists."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pid1lint.facts import data
from tests.factory.roots import SUITE, Roots
from tests.factory.written import FACTS, write_table

EXTRA = (
    "python3 python pip pip3 php php-fpm php8.2 php-fpm8.2 ruby node nodejs npm npx yarn yarnpkg java javac perl "
    "nc ncat netcat socat crond cron anacron sudo gosu su-exec tini dumb-init catatonit supervisord runsvdir "
    "runit s6-svscan setuidgid chpst envdir git curl wget make cmake gcc g++ bash zsh fish ksh mksh dash ash "
    "busybox expect openssl jq yq envsubst gettext aws kubectl helm docker dockerd containerd podman ansible "
    "ansible-playbook terraform psql pg_ctl pg_isready postgres initdb mysql mysqladmin mysqld mariadb mariadbd "
    "redis-cli mongo mongod sqlite3 ps top htop pgrep pkill killall lsof strace tcpdump ip ifconfig netstat ping "
    "dig nslookup host vim vi nano less unzip zip xz bzip2 zstd rsync ssh sshd ssh-agent scp sftp inotifywait "
    "incron entr watchexec tmux screen xvfb-run Xvfb x11vnc vncserver fluxbox openbox chromium chromium-browser "
    "google-chrome firefox firefox-esr convert ffmpeg tor stunnel stunnel4 proftpd vsftpd pure-ftpd rsyslogd "
    "syslog-ng logrotate fail2ban-server unbound named dnsmasq gpg gpg-agent xargs parallel at atd ncat iperf "
    "iperf3 gdb valgrind ghostscript gs wkhtmltopdf pandoc latex rails rake bundle bundler puma unicorn gem "
    "composer drush wp artisan symfony tclsh lua luajit erl elixir iex mix ghc stack cabal go rustc cargo dotnet "
    "mono scala sbt gradle mvn ant groovy kotlin clojure lein nodemon pm2"
).split()
"""Programs that entrypoints start, beside those of the other facts."""

COMMON = (
    "adduser apache2 apache2-utils apt-transport-https apt-utils autoconf automake bash-completion bc bind9 "
    "bison build-essential bzip2 ca-certificates chromium cmake coreutils cron curl debian-archive-keyring "
    "debian-keyring default-jdk default-jdk-headless default-jre default-jre-headless default-libmysqlclient-dev "
    "default-mysql-client dialog dirmngr dnsutils dos2unix dumb-init expect ffmpeg file findutils flex fontconfig "
    "fonts-liberation fonts-noto-cjk g++ gawk gcc gdal-bin gettext gettext-base ghostscript git git-core gnupg gnupg1 "
    "gnupg2 gosu gpg gpg-agent graphviz gzip haproxy host htop imagemagick inetutils-ping iproute2 iptables "
    "iputils-ping jq less libaio1 libatk1.0-0 libbz2-dev libc6-dev libcairo2 libcurl4 libcurl4-openssl-dev libexpat1 "
    "libffi-dev libffi8 libfontconfig1 libfreetype6 libfreetype6-dev libgbm1 libgcc-s1 libgdk-pixbuf2.0-0 libgeos-dev "
    "libgl1 libgl1-mesa-glx libglib2.0-0 libgmp-dev libgomp1 libgssapi-krb5-2 libgtk-3-0 libicu-dev libicu72 "
    "libjpeg-dev libjpeg62-turbo libjpeg62-turbo-dev libldap2-dev libmagic1 libmagickwand-dev libmariadb-dev "
    "libmariadb3 libmcrypt-dev libmemcached-dev libncurses5-dev libnss3 libonig-dev libpango-1.0-0 "
    "libpangocairo-1.0-0 libpcre3-dev libpng-dev libpq-dev libpq5 libreadline-dev libsasl2-dev libsm6 libsodium-dev "
    "libsqlite3-dev libssl-dev libssl3 libstdc++6 libtool libunwind8 libusb-1.0-0 libuv1 libvips libwebp-dev libx11-6 "
    "libxext6 libxml2 libxml2-dev libxrender1 libxslt-dev libxslt1-dev libyaml-dev libzip-dev locales locales-all "
    "logrotate lsb-release lsof m4 make mariadb-client memcached mime-support nano net-tools netbase netcat "
    "netcat-openbsd netcat-traditional nginx nginx-extras nginx-full nginx-light nmap nodejs npm openjdk-17-jdk "
    "openjdk-17-jdk-headless openjdk-17-jre openjdk-17-jre-headless openssh-client openssh-server openssl patch "
    "perl php-cli php-fpm pkg-config pkgconf postgresql postgresql-client procps psmisc pwgen python-is-python3 "
    "python3 python3-dev python3-pip python3-setuptools python3-venv python3-wheel redis-server redis-tools rsync "
    "rsyslog ruby ruby-dev ruby-full runit s6 sed shared-mime-info socat software-properties-common sqlite3 ssh "
    "ssl-cert strace sudo supervisor swig systemd tar tcpdump telnet tini tini-static tmux traceroute tree tzdata "
    "unzip util-linux uuid-runtime vim vim-tiny wait-for-it wget wkhtmltopdf xauth xvfb xz-utils yarnpkg zip "
    "zlib1g-dev zstd"
).split()
"""Packages that Dockerfiles install most often: what each brings along is written down."""

BY_ALTERNATIVES = {
    "java": ("/usr/bin/java", r"openjdk-\d+-jre-headless"),
    "javac": ("/usr/bin/javac", r"openjdk-\d+-jdk-headless"),
    "nc": ("/usr/bin/nc", r"netcat-(?:openbsd|traditional)|ncat"),
    "netcat": ("/usr/bin/netcat", r"netcat-(?:openbsd|traditional)|ncat"),
    "php": ("/usr/bin/php", r"php[\d.]+-cli"),
    "php-fpm": ("/usr/sbin/php-fpm", r"php[\d.]+-fpm"),
    "vi": ("/usr/bin/vi", r"vim-tiny|vim|vim-nox|vim-gtk3|nvi|elvis-tiny|neovim"),
    "tclsh": ("/usr/bin/tclsh", r"tcl"),
    "lua": ("/usr/bin/lua", r"lua5\.\d"),
}
"""Programs that no package holds under this name: update-alternatives makes a link. Name: path, packages."""
VARIES = (
    "ps top free pgrep pkill kill watch uptime w sysctl pmap vmstat skill snice tload slabtop ping ping6 ip ss bridge "
    "ifconfig netstat route arp init systemd systemctl journalctl loginctl udevadm udevd kmod modprobe lsmod insmod "
    "depmod gpg gpgv apt-key vi vim nano less cron crond logrotate rsyslogd whiptail dialog traceroute nc netcat "
    "tic infocmp e2fsck mke2fs tune2fs fdisk sfdisk python python3 perl bzip2 xz wget dmsetup hwclock ischroot"
)
"""Programs that some releases' smallest systems hold and others do not."""
MOST_BRINGERS = 40
_PROGRAM = re.compile(r"^(?:usr/)?s?bin/[^/]+$|^usr/lib/postgresql/\d+/bin/[^/]+$|^usr/games/[^/]+$")


def write(roots: Roots, date: str) -> None:
    """Measure and write both."""
    lower = roots.layer("contents", ["apt-file"], ["apt-file update"])
    lists = Path(lower.split(":")[0]) / "var/lib/apt/lists"
    base = programs_below(roots.base)
    row = {
        "programs": " ".join(sorted(base)),
        "varies": VARIES,
        "source": f"measured: debootstrap --variant=minbase {SUITE}, {date}",
        "packages": f"documented: Debian {SUITE}'s Contents and Packages, {date}",
    }
    write_table("bases", "families", {"debian": row})
    replace_family("debian", rows(lists, base))


def replace_family(family: str, lines: Iterable[str]) -> None:
    """Put a family's lines into the table of packages in place of those that it had."""
    path = FACTS / "packages.tsv"
    kept = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in kept if not line.startswith(family + "\t")]
    path.write_text("\n".join(sorted([*kept, *lines])) + "\n")


def programs_below(root: Path) -> set[str]:
    """The programs on PATH in a root."""
    return {name for folder in ("usr/bin", "usr/sbin") for name in os.listdir(root / folder)}


def rows(lists: Path, base: set[str]) -> Iterator[str]:
    """Lines of the table: family, program, paths, packages that hold it, packages that bring one of these along.

    The last is `*` where too many do; then only what the common packages bring is known: their lines have the
    program `*NAME` and the programs that NAME brings along.
    """
    archive = Archive(lists)
    names = wanted() - base
    many = set()
    for name in sorted(names & archive.programs.keys()):
        held = archive.programs[name]
        holders = {package for packages in held.values() for package in packages}
        bringers = archive.bringers(holders) - holders
        if len(bringers) > MOST_BRINGERS:
            many.add(name)
        brought = "*" if name in many else " ".join(sorted(bringers))
        yield "\t".join(("debian", name, " ".join(sorted(held)), " ".join(sorted(holders)), brought))
    for package in COMMON:
        if package in archive.packages:
            brought = " ".join(sorted(name for name in many if archive.reaches(package, archive.holders(name))))
            yield "\t".join(("debian", "*" + package, "", "", brought))


def wanted() -> set[str]:
    """The names of all programs that may be asked for."""
    found = set(EXTRA)
    for row in data.read("programs")["programs"]:
        found.update(data.words(row["names"]))
    for row in data.read("launchers")["launchers"]:
        found.update(data.words(row["names"]))
    return {name for name in found if not name.startswith("-")}


class Archive:
    """Debian's packages: what each holds, and needs."""

    def __init__(self, lists: Path) -> None:
        self.packages: dict[str, list[list[str]]] = {}
        self.providers: dict[str, set[str]] = defaultdict(set)
        self.programs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for file in sorted(lists.glob(f"*_{SUITE}_main_binary-*_Packages*")):
            self._read_packages(_text(file))
        for file in sorted(lists.glob(f"*_{SUITE}_main_Contents-*")):
            self._read_contents(_text(file))
        for name, (path, pattern) in BY_ALTERNATIVES.items():
            self.programs[name][path].update(each for each in self.packages if re.fullmatch(pattern, each))
        self._needed_by: dict[str, set[str]] = defaultdict(set)
        for package in self.packages:
            for other in self._needs(package):
                self._needed_by[other].add(package)

    def _read_packages(self, text: str) -> None:
        for paragraph in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
            name = fields.get("Package")
            if name is None:
                continue
            groups = [fields.get(key, "") for key in ("Pre-Depends", "Depends", "Recommends")]
            self.packages[name] = [_names(group, "|") for part in groups for group in part.split(",") if group.strip()]
            for provided in _names(fields.get("Provides", ""), ","):
                self.providers[provided].add(name)

    def _read_contents(self, text: str) -> None:
        for line in text.splitlines():
            path, _, packages = line.rpartition(" ")
            path = path.strip()
            if not _PROGRAM.match(path):
                continue
            merged = "/" + re.sub(r"^s?bin/", lambda match: "usr/" + match[0], path)
            names = {each.rpartition("/")[2] for each in packages.split(",")}
            self.programs[path.rpartition("/")[2]][merged] |= names

    def _needs(self, package: str) -> Iterator[str]:
        """What is installed along with a package: the first of several alternatives, recommendations included."""
        for group in self.packages[package]:
            name = group[0]
            if name in self.packages:
                yield name
            else:
                yield from sorted(self.providers.get(name, ()))[:1]

    def holders(self, program: str) -> set[str]:
        """The packages that hold a program."""
        return {package for packages in self.programs[program].values() for package in packages}

    def bringers(self, packages: Iterable[str]) -> set[str]:
        """All packages that one of these is installed along with, and these."""
        return _closure(packages, self._needed_by)

    def reaches(self, package: str, others: set[str]) -> bool:
        """Whether one of the others is installed along with a package."""
        found, waiting = {package}, [package]
        for each in waiting:
            if each in others:
                return True
            for needed in self._needs(each):
                if needed not in found and needed in self.packages:
                    found.add(needed)
                    waiting.append(needed)
        return False


def _closure(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    for each in waiting:
        for other in edges.get(each, ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _names(text: str, separator: str) -> list[str]:
    parts = (part.strip().partition(" ")[0].partition(":")[0] for part in text.split(separator))
    return [part for part in parts if part]


def _text(path: Path) -> str:
    """A list of apt's, compressed or not."""
    if path.suffix != ".lz4":
        return path.read_text(errors="replace")
    helper = ["/usr/lib/apt/apt-helper", "cat-file", str(path)]
    return subprocess.run(helper, capture_output=True, check=True).stdout.decode(errors="replace")
