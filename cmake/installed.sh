#!/bin/bash
# installed.sh BUILD [DESTDIR] - after an installation: runs ldconfig if the system's loader searches the library's
# folder and we are root; otherwise prints what a program that uses the library needs.
set -euo pipefail

library=$(grep -m 1 '/libgeoviewmatch\.so$' "$1/install_manifest.txt")
libdir=${library%/*}
echo "installed: $(grep -m 1 '/bin/geoviewmatch$' "$1/install_manifest.txt"), ${library}, geoviewmatch.h, geoviewmatch.pc, the manual page"
[ -z "${2:-}" ] || exit 0

PATH=$PATH:/usr/sbin:/sbin
if ! command -v ldconfig > /dev/null; then exit 0; fi
libdir=$(realpath "$libdir")
# The folders that the loader searches, such as "/usr/local/lib: (from /etc/ld.so.conf.d/libc.conf:2)"
folders=$(ldconfig -v -N -X 2> /dev/null | sed -n 's|^\(/[^:]*\):.*|\1|p' | xargs -r realpath -q) || true
if grep -qxF "$libdir" <<< "$folders"; then
    if [ "$(id -u)" = 0 ]; then ldconfig; else echo "now run: sudo ldconfig"; fi
    exit 0
fi
cat <<END
The system does not look for libraries in $libdir. To compile and run a program that uses it:
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    cc program.c \$(pkg-config --cflags --libs geoviewmatch) -Wl,-rpath,$libdir -o program
END
