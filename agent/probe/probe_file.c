/* Small files of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/probe/probe_priv.h"

static int read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	for (;;) {
		ssize_t n = read(fd, buf_reserve(out, 4096), 4096);

		if (n < 0)
			return err_sys(e, errno, "%s", path);
		if (n == 0)
			return 0;
		out->n += (size_t)n;
		if (out->n > PROBE_FILE_MAX)
			return err_set(e, ERR_TOO_LARGE, "%s has more than %d bytes", path,
				PROBE_FILE_MAX);
	}
}

int probe_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	int rc = read_all(fd, path, out, e);

	close(fd);
	return rc;
}

int probe_read_number(const char *path, int64_t *out, struct err *e)
{
	BUF_AUTO text = {0};
	char *end;
	long long v;

	TRY(probe_read(path, &text, e));
	v = strtoll(buf_cstr(&text), &end, 10);
	if (end == buf_cstr(&text) || (*end && *end != '\n'))
		return err_set(e, ERR_BAD_INPUT, "%s: no number", path);
	*out = v;
	return 0;
}

bool probe_find_number(struct str text, const char *key, uint64_t *out)
{
	size_t n = strlen(key);
	struct str line, word;

	while (text.n && str_split(&text, '\n', &line)) {
		if (!str_has_prefix(line, key))
			continue;
		line = str_trim((struct str){line.p + n, line.n - n});
		(void)str_split(&line, ' ', &word);
		return str_to_u64(word, 0, INT64_MAX, out, NULL) == 0;
	}
	return false;
}
