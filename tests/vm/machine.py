"""One emulated machine: its console with time stamps, a shell inside it, and the plug that can be pulled."""
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

QEMU = ("qemu-system-x86_64 -machine q35 -accel tcg -m 384 -display none -nodefaults "
        "-device i6300esb -action watchdog=reset -netdev user,id=net -device virtio-net-pci,netdev=net,romfile=").split()


class Machine:
    """`folder` takes the sockets and console.log; `disk` is a qcow2 image.

    The plug is SIGKILL: what the guest has flushed is in the image, what it has not flushed may be lost.
    """

    def __init__(self, disk, folder):
        self.disk, self.folder = disk, folder
        self.lines = []  # (seconds since the first start, text)
        self.began = time.monotonic()
        self.changed = threading.Condition()
        self.process = self.shell = None
        self.lock = threading.Lock()
        self.boots = 0

    # ---- power --------------------------------------------------------------------------------------------------

    def start(self, state=None):
        """Power on, or go on from a saved state."""
        self.boots += 1
        self._say(f"---- power on{' from ' + state if state else ''} ----")
        self.process = subprocess.Popen(
            QEMU + ["-drive", f"file={self.disk},format=qcow2,if=virtio,cache=writeback",
                    "-chardev", "stdio,id=console", "-serial", "chardev:console",
                    "-chardev", f"socket,id=shell,path={self._path('shell')},server=on,wait=off", "-serial", "chardev:shell",
                    "-qmp", f"unix:{self._path('qmp')},server=on,wait=off"] + (["-loadvm", state] if state else []),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def cut(self):
        """The power goes away, now."""
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        self._drop_shell()
        self._say("---- power off ----")

    def is_on(self):
        return self.process is not None and self.process.poll() is None

    def qmp(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self._path("qmp"))
            f = s.makefile("rw")
            f.readline()
            for ask in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                f.write(json.dumps(ask) + "\n")
                f.flush()
                answer = {}
                while not {"return", "error"} & answer.keys():
                    answer = json.loads(f.readline())
            return answer

    def save(self, name):
        """The whole machine as it is now, to be started from."""
        return self.qmp("human-monitor-command", **{"command-line": f"savevm {name}"}).get("return")

    # ---- console ------------------------------------------------------------------------------------------------

    def mark(self):
        """Where the console is now, for wait_line."""
        return len(self.lines)

    def wait_line(self, pattern, seconds, since=0):
        """The first line since then that fits, or None when the time is over."""
        end, look = time.monotonic() + seconds, re.compile(pattern)
        with self.changed:
            while True:
                while since < len(self.lines):
                    if look.search(self.lines[since][1]):
                        return self.lines[since][1]
                    since += 1
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self.changed.wait(left)

    def _say(self, text):
        at = time.monotonic() - self.began
        with self.changed:
            self.lines.append((at, text))
            self.changed.notify_all()
        with open(self._path("console.log"), "a") as f:
            f.write(f"{at:8.2f} {text}\n")

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1bc|[\x00-\x08\x0b-\x1f]", "", line.decode("utf-8", "replace")).rstrip()
                if text:
                    self._say(text)

    def _path(self, name):
        return os.path.join(self.folder, name)

    # ---- inside -------------------------------------------------------------------------------------------------

    def sh(self, command, seconds=5):
        """Runs a command in the guest; its output, or None when it fails or nobody is there to run it."""
        with self.lock:
            try:
                return self._ask(command, time.monotonic() + seconds)
            except OSError:
                self._drop_shell()
                return None

    def _ask(self, command, end):
        if not self.shell:
            self.shell = socket.socket(socket.AF_UNIX)
            self.shell.connect(self._path("shell"))
        mark = f"{time.monotonic_ns():x}"
        # The marks are written in two parts, so that an echo of the command is no answer.
        self.shell.sendall(f"\nPS1= PS2=; echo '<''{mark}'; {{ {command}; }} 2>&1; echo $? '{mark}''>'\n".encode())
        got = b""
        while time.monotonic() < end:
            if not select.select([self.shell], [], [], max(0, end - time.monotonic()))[0]:
                break
            more = self.shell.recv(65536)
            if not more:
                raise OSError("the shell is gone")
            got += more
            m = re.search(rf"<{mark}\r?\n(.*?)(\d+) {mark}>", got.decode("utf-8", "replace"), re.S)
            if m:
                return m[1].replace("\r", "") if m[2] == "0" else None
        self._drop_shell()
        return None

    def _drop_shell(self):
        if self.shell:
            self.shell.close()
        self.shell = None


def make_disk(base, out):
    """A disk that begins as `base` and keeps what is written to it."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", os.path.abspath(base), out], check=True)
