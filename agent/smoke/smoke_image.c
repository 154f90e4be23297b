/* The image of a raw slot, as a block device that can be mounted. */
#include "agent/smoke/smoke_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 8 /* others take loop devices, too */

static void drop(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* A loop device that is gone when nobody has it open or mounted any more; -1 and errno. */
static int attach_free(int file, char device[SMOKE_DEVICE_MAX])
{
	struct loop_config c = {.fd = (uint32_t)file,
		.info = {.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR}};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), n, fd, sys;

	if (control < 0)
		return -1;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	sys = errno;
	close(control);
	errno = sys;
	if (n < 0)
		return -1;
	snprintf(device, SMOKE_DEVICE_MAX, "/dev/loop%d", n);
	fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &c) == 0)
		return fd;
	sys = errno;
	drop(fd);
	errno = sys;
	return -1;
}

static int attach(int file, struct smoke_image *out, struct err *e)
{
	for (unsigned i = 0; i < TRIES; i++) {
		out->loop = attach_free(file, out->device);
		if (out->loop >= 0)
			return 0;
		if (errno != EBUSY)
			break;
	}
	(void)err_sys(e, errno, "a loop device for the image");
	return err_set(e, ERR_IO, "%s", e->text);
}

static int open_file(const char *path, struct smoke_image *out, struct err *e)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0) {
		(void)err_sys(e, errno, "%s", path);
		return err_set(e, ERR_IO, "%s", e->text);
	}
	int rc = attach(file, out, e);

	close(file);
	return rc;
}

int smoke_image_open(const char *path, struct smoke_image *out, struct err *e)
{
	struct smoke_image image = {.loop = -1};
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, ERR_IO, "%s is not there", path);
	if (S_ISBLK(st.st_mode))
		TRY(str_copy(str_of(path), image.device, sizeof image.device, e));
	else
		TRY(open_file(path, &image, e));
	*out = image;
	return 0;
}

void smoke_image_close(struct smoke_image *image)
{
	drop(image->loop);
	image->loop = -1;
}
