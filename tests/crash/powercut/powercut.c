/* Records every effect of one process on the files below a folder, in order, for tests/crash/powercut/explorer.py.

   Preloaded (LD_PRELOAD) into the process. After each call that succeeded, one record is appended to a log: what was
   done, to which file (by inode, so that a file keeps its identity when it is renamed, or unlinked and made anew), where,
   and the bytes. A call that this library cannot describe ends the process: a recording with a hole would be worse than
   none. What it does not see: shared writable maps; SQLite's -shm is one, holds nothing that lasts, and is left out.

   POWERCUT_ROOT   the folder (canonical path)      POWERCUT_LOG   the log
   POWERCUT_MARKS  a file whose writes are what the world outside has seen: recorded in the same order, never on a disk

   Record: struct record, path, second path (rename), bytes. The reader is tests/crash/powercut/disk.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum op { CREATE = 'c', MAKE_DIR = 'd', WRITE = 'w', TRUNCATE = 't', SYNC = 's', UNLINK = 'u', RENAME = 'r', MARK = 'm' };

struct record {
  uint8_t op, reserved;
  uint16_t path_length, second_length, reserved_too;
  uint64_t inode;
  int64_t offset; /* of a write; the new size of a truncation */
  uint64_t length;
};

static int log_fd = -1;
static const char *root, *marks;
static size_t root_length;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* The real function of a name, looked up once. */
#define REAL(type, name, ...)                      \
  static type (*real)(__VA_ARGS__);                \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void give_up(const char *what, const char *path) {
  fprintf(stderr, "powercut: cannot describe %s of %s\n", what, path);
  _exit(99);
}

__attribute__((constructor)) static void start(void) {
  const char *log = getenv("POWERCUT_LOG");
  root = getenv("POWERCUT_ROOT");
  marks = getenv("POWERCUT_MARKS");
  if (!log || !root) return;
  root_length = strlen(root);
  REAL(int, "open64", const char *, int, ...);
  int fd = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 500); /* out of the way of who counts descriptors */
  close(fd);
  if (log_fd < 0) give_up("the log", log);
}

/* Below the root, and not one of SQLite's shared-memory files. */
static int watched(const char *path) {
  if (log_fd < 0 || strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/')) return 0;
  size_t n = strlen(path);
  return !(n > 4 && !strcmp(path + n - 4, "-shm"));
}

static int is_marks(const char *path) { return log_fd >= 0 && marks && !strcmp(path, marks); }

/* The path of a descriptor, or "" (a deleted file has a suffix that does no harm: its inode counts). */
static const char *path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = log_fd < 0 || fd < 0 ? -1 : readlink(link, path, PATH_MAX - 1);
  path[n < 0 ? 0 : n] = 0;
  return path;
}

/* The path that a call with a folder's descriptor means. */
static const char *path_at(int dir, const char *name, char *path) {
  if (name[0] == '/') return strncpy(path, name, PATH_MAX - 1);
  if (dir == AT_FDCWD) {
    if (!getcwd(path, PATH_MAX)) path[0] = 0;
  } else {
    path_of(dir, path);
  }
  size_t n = strlen(path);
  snprintf(path + n, PATH_MAX - n, "/%s", name);
  return path;
}

static uint64_t inode_of(int fd) {
  struct stat about;
  return fstat(fd, &about) ? 0 : about.st_ino;
}

static uint64_t inode_at(const char *path) {
  struct stat about;
  return lstat(path, &about) ? 0 : about.st_ino;
}

static void note(enum op op, const char *path, const char *second, uint64_t inode, int64_t offset, const void *bytes,
                 size_t length) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  struct record head = {.op = op, .path_length = strlen(path), .second_length = strlen(second), .inode = inode,
                        .offset = offset, .length = length};
  struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path_length},
                          {(void *)second, head.second_length}, {(void *)bytes, length}};
  size_t whole = sizeof head + head.path_length + head.second_length + length;
  if (real(log_fd, parts, 4) != (ssize_t)whole) give_up("(the log is full) a change", path);
}

static void note_write(int fd, const char *path, int64_t offset, const void *bytes, size_t length) {
  note(is_marks(path) ? MARK : WRITE, path, "", inode_of(fd), offset, bytes, length);
}

/* ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

static int opened(int fd, int flags, int existed) {
  char path[PATH_MAX];
  int kept = errno;
  if (fd >= 0 && watched(path_of(fd, path))) {
    if (flags & O_CREAT && !existed) note(CREATE, path, "", inode_of(fd), 0, "", 0);
    else if (flags & O_TRUNC) note(TRUNCATE, path, "", inode_of(fd), 0, "", 0);
  }
  errno = kept;
  return fd;
}

#define MODE_OF(flags)                             \
  mode_t mode = 0;                                 \
  if (flags & (O_CREAT | O_TMPFILE)) {             \
    va_list rest;                                  \
    va_start(rest, flags);                         \
    mode = va_arg(rest, mode_t);                   \
    va_end(rest);                                  \
  }

#define OPEN(name)                                              \
  int name(const char *path, int flags, ...) {                  \
    REAL(int, #name, const char *, int, ...);                   \
    MODE_OF(flags)                                              \
    pthread_mutex_lock(&order);                                 \
    int existed = inode_at(path) != 0;                          \
    int fd = opened(real(path, flags, mode), flags, existed);   \
    pthread_mutex_unlock(&order);                               \
    return fd;                                                  \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                               \
  int name(int dir, const char *path, int flags, ...) {             \
    REAL(int, #name, int, const char *, int, ...);                  \
    MODE_OF(flags)                                                  \
    char whole[PATH_MAX];                                           \
    pthread_mutex_lock(&order);                                     \
    int existed = inode_at(path_at(dir, path, whole)) != 0;         \
    int fd = opened(real(dir, path, flags, mode), flags, existed);  \
    pthread_mutex_unlock(&order);                                   \
    return fd;                                                      \
  }
OPEN_AT(openat)
OPEN_AT(openat64)

#define REFUSED_OPEN(name)                                          \
  FILE *name(const char *path, const char *how) {                   \
    REAL(FILE *, #name, const char *, const char *);                \
    char whole[PATH_MAX];                                           \
    if (how[0] != 'r' && watched(path_at(AT_FDCWD, path, whole))) give_up(#name, path); \
    return real(path, how);                                         \
  }
REFUSED_OPEN(fopen)
REFUSED_OPEN(fopen64)

/* ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  char path[PATH_MAX];
  if (!watched(path_of(fd, path)) && !is_marks(path)) return real(fd, bytes, length);
  pthread_mutex_lock(&order);
  ssize_t n = real(fd, bytes, length);
  if (n > 0) note_write(fd, path, lseek(fd, 0, SEEK_CUR) - n, bytes, n);
  pthread_mutex_unlock(&order);
  return n;
}

#define PWRITE(name, offset_type)                                                 \
  ssize_t name(int fd, const void *bytes, size_t length, offset_type offset) {    \
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);                \
    char path[PATH_MAX];                                                          \
    if (!watched(path_of(fd, path))) return real(fd, bytes, length, offset);      \
    pthread_mutex_lock(&order);                                                   \
    ssize_t n = real(fd, bytes, length, offset);                                  \
    if (n > 0) note_write(fd, path, offset, bytes, n);                            \
    pthread_mutex_unlock(&order);                                                 \
    return n;                                                                     \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

static void note_parts(int fd, const char *path, int64_t offset, const struct iovec *parts, int count, ssize_t n) {
  for (int i = 0; i < count && n > 0; i++) {
    ssize_t some = n < (ssize_t)parts[i].iov_len ? n : (ssize_t)parts[i].iov_len;
    if (some) note_write(fd, path, offset, parts[i].iov_base, some);
    offset += some;
    n -= some;
  }
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  char path[PATH_MAX];
  if (!watched(path_of(fd, path))) return real(fd, parts, count);
  pthread_mutex_lock(&order);
  ssize_t n = real(fd, parts, count);
  if (n > 0) note_parts(fd, path, lseek(fd, 0, SEEK_CUR) - n, parts, count, n);
  pthread_mutex_unlock(&order);
  return n;
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) {
  REAL(ssize_t, "pwritev64v2", int, const struct iovec *, int, off64_t, int);
  char path[PATH_MAX];
  if (!watched(path_of(fd, path))) return real(fd, parts, count, offset, flags);
  if (flags || offset < 0) give_up("pwritev2 with flags", path);
  pthread_mutex_lock(&order);
  ssize_t n = real(fd, parts, count, offset, flags);
  if (n > 0) note_parts(fd, path, offset, parts, count, n);
  pthread_mutex_unlock(&order);
  return n;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  return pwritev64v2(fd, parts, count, offset, 0);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev64v2(fd, parts, count, offset, 0);
}

#define FTRUNCATE(name, size_type)                                                  \
  int name(int fd, size_type size) {                                                \
    REAL(int, "ftruncate64", int, off64_t);                                         \
    char path[PATH_MAX];                                                            \
    if (!watched(path_of(fd, path))) return real(fd, size);                         \
    pthread_mutex_lock(&order);                                                     \
    int failed = real(fd, size);                                                    \
    if (!failed) note(TRUNCATE, path, "", inode_of(fd), size, "", 0);               \
    pthread_mutex_unlock(&order);                                                   \
    return failed;                                                                  \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

#define TRUNCATE_AT(name, size_type)                                                \
  int name(const char *named, size_type size) {                                     \
    REAL(int, "truncate64", const char *, off64_t);                                 \
    char path[PATH_MAX];                                                            \
    if (!watched(path_at(AT_FDCWD, named, path))) return real(named, size);         \
    pthread_mutex_lock(&order);                                                     \
    int failed = real(named, size);                                                 \
    if (!failed) note(TRUNCATE, path, "", inode_at(path), size, "", 0);             \
    pthread_mutex_unlock(&order);                                                   \
    return failed;                                                                  \
  }
TRUNCATE_AT(truncate, off_t)
TRUNCATE_AT(truncate64, off64_t)

/* ── durability ──────────────────────────────────────────────────────────────────────────────────────────────────── */

#define FSYNC(name)                                                          \
  int name(int fd) {                                                         \
    REAL(int, #name, int);                                                   \
    char path[PATH_MAX];                                                     \
    if (!watched(path_of(fd, path))) return real(fd);                        \
    pthread_mutex_lock(&order);                                              \
    int failed = real(fd);                                                   \
    if (!failed) note(SYNC, path, "", inode_of(fd), 0, "", 0);               \
    pthread_mutex_unlock(&order);                                            \
    return failed;                                                           \
  }
FSYNC(fsync)
FSYNC(fdatasync)

/* ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────── */

static int make_dir(int dir, const char *named, mode_t mode) {
  REAL(int, "mkdirat", int, const char *, mode_t);
  char path[PATH_MAX];
  pthread_mutex_lock(&order);
  int failed = real(dir, named, mode);
  int kept = errno;
  if (!failed && watched(path_at(dir, named, path))) note(MAKE_DIR, path, "", inode_at(path), 0, "", 0);
  errno = kept;
  pthread_mutex_unlock(&order);
  return failed;
}
int mkdir(const char *named, mode_t mode) { return make_dir(AT_FDCWD, named, mode); }
int mkdirat(int dir, const char *named, mode_t mode) { return make_dir(dir, named, mode); }

static int take_away(int dir, const char *named, int flags) {
  REAL(int, "unlinkat", int, const char *, int);
  char path[PATH_MAX];
  pthread_mutex_lock(&order);
  uint64_t inode = inode_at(path_at(dir, named, path));
  int failed = real(dir, named, flags);
  int kept = errno;
  if (!failed && watched(path)) note(UNLINK, path, "", inode, 0, "", 0);
  errno = kept;
  pthread_mutex_unlock(&order);
  return failed;
}
int unlink(const char *named) { return take_away(AT_FDCWD, named, 0); }
int rmdir(const char *named) { return take_away(AT_FDCWD, named, AT_REMOVEDIR); }
int unlinkat(int dir, const char *named, int flags) { return take_away(dir, named, flags); }

static int give_name(int old_dir, const char *old_named, int new_dir, const char *new_named) {
  REAL(int, "renameat", int, const char *, int, const char *);
  char before[PATH_MAX], after[PATH_MAX];
  path_at(old_dir, old_named, before);
  path_at(new_dir, new_named, after);
  if (watched(before) != watched(after)) give_up("a move into or out of the folder", before);
  pthread_mutex_lock(&order);
  int failed = real(old_dir, old_named, new_dir, new_named);
  int kept = errno;
  if (!failed && watched(after)) note(RENAME, before, after, inode_at(after), 0, "", 0);
  errno = kept;
  pthread_mutex_unlock(&order);
  return failed;
}
int rename(const char *before, const char *after) { return give_name(AT_FDCWD, before, AT_FDCWD, after); }
int renameat(int old_dir, const char *before, int new_dir, const char *after) {
  return give_name(old_dir, before, new_dir, after);
}

/* ── what is not described ends the process ──────────────────────────────────────────────────────────────────────── */

static void refuse_fd(int fd, const char *what) {
  char path[PATH_MAX];
  if (watched(path_of(fd, path))) give_up(what, path);
}

static void refuse_path(const char *named, const char *what) {
  char path[PATH_MAX];
  if (watched(path_at(AT_FDCWD, named, path))) give_up(what, path);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t offset) {
  REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
  if (fd >= 0 && flags & MAP_SHARED && protection & PROT_WRITE) refuse_fd(fd, "a shared writable map");
  return real(where, length, protection, flags, fd, offset);
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  REAL(int, "posix_fallocate64", int, off64_t, off64_t);
  refuse_fd(fd, "posix_fallocate");
  return real(fd, offset, length);
}
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
  refuse_fd(to, "copy_file_range");
  return real(from, from_at, to, to_at, length, flags);
}
ssize_t sendfile64(int to, int from, off64_t *from_at, size_t length) {
  REAL(ssize_t, "sendfile64", int, int, off64_t *, size_t);
  refuse_fd(to, "sendfile");
  return real(to, from, from_at, length);
}
int link(const char *before, const char *after) {
  REAL(int, "link", const char *, const char *);
  refuse_path(after, "a hard link");
  return real(before, after);
}
int symlink(const char *target, const char *named) {
  REAL(int, "symlink", const char *, const char *);
  refuse_path(named, "a symbolic link");
  return real(target, named);
}
