"""outside_client.py ROOT URL DIR [TARGET]: python-tuf as a client of one of our repositories. DIR is empty, or of an
earlier call. Prints where the target was stored, or nothing when there is no such target."""

import os
import shutil
import sys

import tuf_shim  # noqa: F401  before anything of the library

from tuf.ngclient import Updater


def main(root, url, folder, target=None):
    meta, targets = os.path.join(folder, "metadata"), os.path.join(folder, "targets")
    if not os.path.exists(meta):
        os.makedirs(meta)
        os.makedirs(targets)
        shutil.copyfile(root, os.path.join(meta, "root.json"))
    options = {"bootstrap": None} if "bootstrap" in Updater.__init__.__code__.co_varnames else {}
    client = Updater(meta, url, targets, f"{url}/targets", **options)
    client.refresh()
    found = client.get_targetinfo(target) if target else None
    if found:
        print(client.download_target(found))


main(*sys.argv[1:])
