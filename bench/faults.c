/* Lets the n-th call of the system that changes files below a folder fail once, for bench.faults (LD_PRELOAD).

   Counted are write, pwrite, fsync, fdatasync, ftruncate, rename, link, mkdir, and open for writing, also those of SQLite,
   GDAL and NumPy. Nothing is counted until fault_arm is called; fault_count tells how many calls there were since. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long nth, count;
static int code, armed;
static char folder[4096];

void fault_arm(long n, int error, const char *below) {
    strncpy(folder, below, sizeof folder - 1);
    nth = n, code = error, count = 0, armed = 1;
}

long fault_count(void) { return count; }

static int fails(void) {
    if (++count != nth) return 0;
    errno = code;
    return 1;
}

static int is_below(const char *path) { return armed && path && !strncmp(path, folder, strlen(folder)); }

static int is_open_below(int fd) {
    char link[64], path[4096];
    if (!armed) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return is_below(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define BY_FD(type, name, given, passed) \
    type name given { return is_open_below(fd) && fails() ? -1 : REAL(name) passed; }
#define BY_PATH(name, given, path, passed) \
    int name given { return is_below(path) && fails() ? -1 : REAL(name) passed; }
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int); \
        va_end(rest); \
        if ((flags & O_ACCMODE) != O_RDONLY && is_below(path) && fails()) return -1; \
        return REAL(name)(path, flags, mode); \
    }

BY_FD(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
BY_FD(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
BY_FD(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
BY_FD(int, fsync, (int fd), (fd))
BY_FD(int, fdatasync, (int fd), (fd))
BY_FD(int, ftruncate, (int fd, off_t size), (fd, size))
BY_FD(int, ftruncate64, (int fd, off64_t size), (fd, size))
BY_PATH(rename, (const char *from, const char *to), to, (from, to))
BY_PATH(link, (const char *from, const char *to), to, (from, to))
BY_PATH(mkdir, (const char *path, mode_t mode), path, (path, mode))
OPEN(open)
OPEN(open64)
