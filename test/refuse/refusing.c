/* Loaded before libc into a DuckDB under test: makes single calls of the extension fail that no file system can be made to refuse. The
   variable TSTABLE_TEST_FAIL says which. Calls of the host itself are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int is_wanted(const char *what) {
    const char *fail = getenv("TSTABLE_TEST_FAIL");
    return fail != NULL && strcmp(fail, what) == 0;
}

static int is_the_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    const char *name = "/_timeseries_log";
    size_t end = strlen(name);
    return length >= (ssize_t)end && memcmp(path + length - end, name, end) == 0;
}

static int is_ours(void *caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "tstable") != NULL;
}

/* The directory of the log is synced once a commit has its name, and never before. */
int fsync(int fd) {
    static int (*next)(int);
    if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (is_wanted("sync of the log") && is_the_log(fd)) {
        errno = EIO;
        return -1;
    }
    return next(fd);
}

/* What cannot fail: the code that asks for the time has no answer to it. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*next)(clockid_t, struct timespec *);
    if (next == NULL) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (clock == CLOCK_REALTIME && is_wanted("clock") && is_ours(__builtin_return_address(0))) {
        errno = EINVAL;
        return -1;
    }
    return next(clock, time);
}
