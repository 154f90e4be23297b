/* Seccomp: the system calls that talking HTTP over TLS, unpacking, and threads take, as libcurl,
 * OpenSSL and glibc of Debian 12 make them. Any other fails with EPERM; those that only somebody
 * who has taken the worker over would make end it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"

static const int allowed[] = {
	/* memory, without making any of it executable: see below */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	/* descriptors that are open */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(fcntl), SCMP_SYS(dup),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(socketpair),
	/* files are opened for reading only: see below */
	SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64), SCMP_SYS(getcwd),
	/* the network: which kinds of socket, see below */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(shutdown),
	/* threads */
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	/* time, randomness, and who am I */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit)};

static const int deadly[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(open_tree),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(listen),
	SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mknod), SCMP_SYS(mknodat)};

/* A call that is allowed where one of its arguments, of which `mask` counts, has this value. */
static const struct {
	int call;
	unsigned arg;
	uint64_t mask, value;
} where[] = {
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
	{SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
	{SCMP_SYS(open), 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_INET},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_INET6},
	{SCMP_SYS(socket), 0, UINT32_MAX, AF_NETLINK}, /* which addresses are there? */
	{SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD},
	{SCMP_SYS(ioctl), 1, UINT32_MAX, FIONBIO},
	{SCMP_SYS(clone), 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM},
	{SCMP_SYS(prlimit64), 2, UINT64_MAX, 0}, /* is asked, not set */
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME},
};

static int add(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add(ctx, action, calls[i], 0);

		/* -EDOM: this machine has no such call. */
		if (rc < 0 && rc != -EDOM)
			return err_sys(e, -rc, "seccomp: rule %zu", i);
	}
	return 0;
}

static int add_where(scmp_filter_ctx ctx, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		struct scmp_arg_cmp c = {.arg = where[i].arg,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = where[i].mask,
			.datum_b = where[i].value};
		int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, where[i].call, 1, &c);

		if (rc < 0 && rc != -EDOM)
			return err_sys(e, -rc, "seccomp: argument rule %zu", i);
	}
	return 0;
}

/* abort() sends the signal to itself, and to nobody else. The flags of clone3 are in memory, where
 * a filter cannot see them: glibc then takes clone. */
static int add_special(scmp_filter_ctx ctx, struct err *e)
{
	struct scmp_arg_cmp own = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
	int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);

	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return rc < 0 ? err_sys(e, -rc, "seccomp") : 0;
}

static int build(scmp_filter_ctx ctx, struct err *e)
{
	TRY(add(ctx, SCMP_ACT_ALLOW, allowed, ARRAY_LEN(allowed), e));
	TRY(add(ctx, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_LEN(deadly), e));
	TRY(add_where(ctx, e));
	TRY(add_special(ctx, e));
	int rc = seccomp_load(ctx);
	return rc < 0 ? err_sys(e, -rc, "seccomp") : 0;
}

int confine_calls(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!ctx)
		return err_set(e, ERR_DENIED, "seccomp: no filter");
	int rc = build(ctx, e);
	seccomp_release(ctx);
	return rc;
}
