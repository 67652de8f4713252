/* LD_PRELOAD library: lets the n-th call of a kind on files below one folder fail, or kills the process there.
 *
 * A process arms it for itself with fail_arm (by ctypes); until then every call goes through untouched.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE, SYNC, TRUNCATE, OPEN, REMOVE, READ };
enum how { EIO_ONCE, NOSPC_ONCE, SHORT, EINTR_ONCE, EIO_ALWAYS, NOSPC_ALWAYS, KILL_BEFORE, KILL_WITHIN };

#define MAX_FD 4096
#define MAX_PATH 512

static char root[MAX_PATH];
static char path_of[MAX_FD][MAX_PATH];
static char hit[MAX_PATH];
static int armed_kind = -1, armed_how;
static long nth, seen;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int), (*real_fsync)(int), (*real_fdatasync)(int), (*real_unlink)(const char *);
static ssize_t (*real_write)(int, const void *, size_t), (*real_read)(int, void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t), (*real_pread)(int, void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);

__attribute__((constructor)) static void find_real_calls(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_write = dlsym(RTLD_NEXT, "write");
    real_read = dlsym(RTLD_NEXT, "read");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
}

/* From now on, the n-th call of a kind on files below the folder comes to grief; kind -1 ends it. */
void fail_arm(const char *folder, int kind, int how, long n) {
    strncpy(root, folder, MAX_PATH - 1);
    armed_kind = kind;
    armed_how = how;
    nth = n;
    seen = 0;
    hit[0] = 0;
}

/* How many calls of the armed kind there were so far. */
long fail_seen(void) { return seen; }

/* The file of the call that failed, or nothing. */
const char *fail_hit(void) { return hit; }

static const char *path_of_fd(int fd) { return fd >= 0 && fd < MAX_FD ? path_of[fd] : ""; }

/* Whether this call comes to grief. */
static int due(int kind, const char *path) {
    if (armed_kind != kind || !root[0] || strncmp(path, root, strlen(root)) != 0) return 0;
    seen++;
    int always = armed_how == EIO_ALWAYS || armed_how == NOSPC_ALWAYS;
    if (always ? seen < nth : seen != nth) return 0;
    if (!hit[0]) strncpy(hit, path, MAX_PATH - 1);
    if (armed_how == KILL_BEFORE) kill(getpid(), SIGKILL);
    return 1;
}

static int fail(void) {
    switch (armed_how) {
    case NOSPC_ONCE: case NOSPC_ALWAYS: errno = ENOSPC; break;
    case EINTR_ONCE: errno = EINTR; break;
    default: errno = EIO;
    }
    return -1;
}

static int remember(int fd, const char *path) {
    if (fd >= 0 && fd < MAX_FD) strncpy(path_of[fd], path, MAX_PATH - 1);
    return fd;
}

#define MODE_OF(flags)                                                                                                 \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return due(OPEN, path) ? fail() : remember(real_open(path, flags, mode), path);
}

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return due(OPEN, path) ? fail() : remember(real_open(path, flags, mode), path);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return due(OPEN, path) ? fail() : remember(real_openat(folder, path, flags, mode), path);
}

int openat(int folder, const char *path, int flags, ...) {
    MODE_OF(flags)
    return due(OPEN, path) ? fail() : remember(real_openat(folder, path, flags, mode), path);
}

int close(int fd) {
    if (fd >= 0 && fd < MAX_FD) path_of[fd][0] = 0;
    return real_close(fd);
}

static size_t half(size_t size) { return size > 1 ? size / 2 : size; }

ssize_t write(int fd, const void *content, size_t size) {
    if (!due(WRITE, path_of_fd(fd))) return real_write(fd, content, size);
    if (armed_how != SHORT && armed_how != KILL_WITHIN) return fail();
    ssize_t written = real_write(fd, content, half(size));
    if (armed_how == KILL_WITHIN) kill(getpid(), SIGKILL);
    return written;
}

ssize_t pwrite64(int fd, const void *content, size_t size, off64_t at) {
    if (!due(WRITE, path_of_fd(fd))) return real_pwrite(fd, content, size, at);
    if (armed_how != SHORT && armed_how != KILL_WITHIN) return fail();
    ssize_t written = real_pwrite(fd, content, half(size), at);
    if (armed_how == KILL_WITHIN) kill(getpid(), SIGKILL);
    return written;
}

ssize_t pwrite(int fd, const void *content, size_t size, off_t at) { return pwrite64(fd, content, size, at); }

ssize_t read(int fd, void *content, size_t size) {
    return due(READ, path_of_fd(fd)) ? fail() : real_read(fd, content, size);
}

ssize_t pread64(int fd, void *content, size_t size, off64_t at) {
    return due(READ, path_of_fd(fd)) ? fail() : real_pread(fd, content, size, at);
}

ssize_t pread(int fd, void *content, size_t size, off_t at) { return pread64(fd, content, size, at); }

int ftruncate64(int fd, off64_t size) { return due(TRUNCATE, path_of_fd(fd)) ? fail() : real_ftruncate(fd, size); }

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fsync(int fd) { return due(SYNC, path_of_fd(fd)) ? fail() : real_fsync(fd); }

int fdatasync(int fd) { return due(SYNC, path_of_fd(fd)) ? fail() : real_fdatasync(fd); }

int unlink(const char *path) { return due(REMOVE, path) ? fail() : real_unlink(path); }
