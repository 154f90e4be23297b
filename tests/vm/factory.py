"""What a factory does: the first image is laid into slot A by the agent itself, on this host, and a disk is made of that.

So the state partition (journal, trusted roots, marks) and the boot loader's environment are what the agent writes, and nothing that
a test has made up.
"""
import os
import shutil
import subprocess
import time

from fleet import DEVICE, run

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT_MIB, STATE_MIB = 16, 48


def device_conf(fleet, host, ca, token):
    return f"""[device]
id = {DEVICE}
[server]
url = https://{host}:{fleet.port}
ca = {ca}
[identity]
token_file = {token}
"""


class Bench:
    """A machine that is only a namespace of processes: to restart it ends it, and it is started again from slot A."""

    def __init__(self, fleet, conf):
        self.fleet, self.conf = fleet, conf
        self.process = None

    def start(self, slot):
        self.fleet.write("factory.cmdline", f"backstay.slot={slot}\n")
        # Neither this host's service manager nor its kernel must take the agent's wish for a restart for their own.
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        with open(self.fleet.path("factory.log"), "a") as log:
            self.process = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", self.fleet.bin + "/backstay-agent",
                                             "--config", self.conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def go_on(self):
        if self.process.poll() is not None:
            self.start("A")

    def stop(self):
        self.process.kill()
        self.process.wait()


def install_first(fleet, release, state, boot, slots):
    """An agent of this host, whose slots are files. It is told that slot B was started, so that A is the one to be written."""
    invite = fleet.write("factory.invite", fleet.cli("device", "invite", DEVICE))
    conf = fleet.write("factory.conf", device_conf(fleet, "127.0.0.1", fleet.path("server.crt"), invite) + f"""[device]
hardware = edge-x86
[server]
poll_interval = 200ms
[agent]
home = {state}
run_dir = {fleet.path('factory.run')}
boot = grub
slots = raw
watch_interval = 100ms
[boot]
grub_env = {boot}/grub
cmdline = {fleet.path('factory.cmdline')}
[slot]
a = {slots[0]}
b = {slots[1]}
[service]
kind = reboot
""")
    os.makedirs(fleet.path("factory.run"))
    fleet.write("factory.cmdline", "backstay.slot=B\n")
    run(fleet.bin + "/backstay-agent", "--config", conf, "--provision", fleet.path("keys/repo"))
    bench = Bench(fleet, conf)
    bench.start("B")
    try:
        wait(60, "the factory's agent to register", lambda: any(d["id"] == DEVICE for d in fleet.ask("device", "list")["devices"]))
        campaign = fleet.order(release)
        wait(240, f"{release} in slot A", lambda: bench.go_on() or fleet.phase(campaign) == "done")
    finally:
        bench.stop()


def wait(seconds, what, is_so):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds} s in vain: {what}")
        time.sleep(0.1)


def make_disk(fleet, release, image, grub_cfg, deadman, out):
    """The disk OUT, as it leaves the factory. It has an invitation and has not enrolled."""
    state, boot = fleet.path("state"), fleet.path("boot")
    slots = [fleet.path("root-a.img"), fleet.path("root-b.img")]
    os.makedirs(state)
    os.makedirs(boot + "/grub")
    for s in slots:
        with open(s, "wb") as f:
            f.truncate(os.path.getsize(image))
    shutil.copy(grub_cfg, boot + "/grub/grub.cfg")
    shutil.copy(HERE + "/guest/custom.cfg", boot + "/grub/custom.cfg")
    run(deadman, "--install", boot + "/grub")
    install_first(fleet, release, state, boot, slots)

    shutil.rmtree(state + "/identity")
    shutil.copy(fleet.path("server.crt"), state + "/server.crt")
    fleet.write("state/invite", fleet.cli("device", "invite", DEVICE))
    fleet.write("state/device.conf", device_conf(fleet, "10.0.2.2", "/var/lib/backstay/server.crt", "/var/lib/backstay/invite"))
    run(HERE + "/make-ext4", boot, fleet.path("boot.img"), BOOT_MIB, "boot")
    run(HERE + "/make-ext4", state, fleet.path("state.img"), STATE_MIB, "state")
    run(HERE + "/make-disk", out, fleet.path("boot.img"), slots[0], "", fleet.path("state.img"))
