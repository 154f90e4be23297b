#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/deadman/deadman_priv.h"

#define NAME "backstay-deadman: "

void kmsg_say(const char *text)
{
	char line[256];
	int fd = open("/dev/kmsg", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return;
	int n = snprintf(line, sizeof line, "<4>" NAME "%.200s\n", text);

	(void)!write(fd, line, (size_t)n);
	close(fd);
}
