/* Small files of the kernel and of others. */
#include "agent/precond/precond_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD_INPUT, "%s is no file", path);
	for (;;) {
		ssize_t n = read(fd, buf_reserve(out, LIMIT_SIGNAL_BYTES), LIMIT_SIGNAL_BYTES);

		if (n < 0)
			return err_sys(e, errno, "%s", path);
		if (n == 0)
			return 0;
		out->n += (size_t)n;
		if (out->n > LIMIT_SIGNAL_BYTES)
			return err_set(e, ERR_TOO_LARGE, "%s has more than %d bytes", path,
				LIMIT_SIGNAL_BYTES);
	}
}

int precond_read_file(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	int rc = read_all(fd, path, out, e);

	close(fd);
	return rc;
}

int precond_read_line(const char *path, char *out, size_t cap, struct err *e)
{
	BUF_AUTO text = {0};
	struct str rest, line = {"", 0};

	TRY(precond_read_file(path, &text, e));
	rest = buf_str(&text);
	(void)str_split(&rest, '\n', &line);
	line = str_trim(line);
	snprintf(out, cap, "%.*s", (int)MIN(line.n, cap - 1), line.n ? line.p : "");
	return 0;
}

void precond_why(struct precond_facts *f, enum precond_type type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->why[type], sizeof f->why[type], fmt, ap);
	va_end(ap);
}

bool precond_hundredths(const char *text, uint64_t *out)
{
	struct str s = str_of(text), word, whole;
	uint64_t n, part = 0;

	if (!str_split(&s, ' ', &word))
		return false;
	s = word;
	(void)str_split(&s, '.', &whole);
	if (str_to_u64(whole, 0, 1000000, &n, NULL) < 0)
		return false;
	if (whole.n < word.n && (s.n != 2 || str_to_u64(s, 0, 99, &part, NULL) < 0))
		return false;
	*out = n * 100 + part;
	return true;
}
