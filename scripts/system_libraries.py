"""Installs the Debian libraries that open3d loads, where this user may; says so where not."""

import ctypes
import os
import shutil
import subprocess
import sys

PACKAGES = {
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libGL.so.1": "libgl1",
    "libgomp.so.1": "libgomp1",
    "libX11.so.6": "libx11-6",
}


def is_loadable(library: str) -> bool:
    """Returns whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def main() -> int:
    """Installs what is missing; never fails, since the torch ray caster serves without open3d."""
    missing = [package for library, package in PACKAGES.items() if not is_loadable(library)]
    if not missing:
        return 0
    listed = " ".join(missing)
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (prefix and shutil.which("sudo") is None):
        print(f"open3d needs {listed}: not installed here, using the torch ray caster")
        return 0
    print(f"installing {listed}", flush=True)
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
        done = subprocess.run([*prefix, "apt-get", *arguments], stdout=subprocess.DEVNULL)
        if done.returncode:
            print(f"could not install {listed}: using the torch ray caster")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
