#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"

static const char *const paths[] = {"/dev/watchdog0", "/dev/watchdog"};

/* A device that takes another time than it was asked for says so in the same word. */
static void tame(struct dog *d)
{
	int seconds = (int)d->seconds;
	char text[64];

	if (ioctl(d->fd, WDIOC_SETTIMEOUT, &seconds) == 0 && seconds > 0)
		d->seconds = (unsigned)seconds;
	snprintf(text, sizeof text, "the hardware watchdog bites after %u s", d->seconds);
	kmsg_say(text);
}

static void catch_it(struct dog *d)
{
	for (size_t i = 0; i < ARRAY_LEN(paths) && d->fd < 0; i++) {
		d->fd = open(paths[i], O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		if (d->fd < 0 && errno == EBUSY) {
			d->seconds = 0;
			kmsg_say("the hardware watchdog is somebody else's");
			return;
		}
	}
	if (d->fd >= 0)
		tame(d);
}

void dog_feed(struct dog *d)
{
	if (d->fd < 0 && d->seconds)
		catch_it(d);
	/* Anything but a 'V', which would allow it to be closed. */
	if (d->fd >= 0)
		(void)!write(d->fd, "", 1);
}
