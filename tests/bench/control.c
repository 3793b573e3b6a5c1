/* control.c - a rank of the benchmark hears what to measure, and answers.
 * SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static FILE *from_driver, *to_driver;

bool control_open(const char *path, const char *job, int rank, const char *mpi)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int driver = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (driver < 0 ||
        connect(driver, (const struct sockaddr *)&address, sizeof address) < 0)
        return false;
    from_driver = fdopen(driver, "r");
    to_driver = fdopen(dup(driver), "w");
    if (!from_driver || !to_driver)
        return false;
    fprintf(to_driver, "%s %d %s\n", job, rank, mpi);
    return fflush(to_driver) == 0;
}

bool control_read(control_order *order)
{
    char line[128];

    /* The second word is for the contenders in Python: in what form. */
    return fgets(line, sizeof line, from_driver) &&
           sscanf(line, "%31s %*s %zu %zu", order->what, &order->bytes, &order->count) ==
               3;
}

void control_answer(double seconds)
{
    fprintf(to_driver, "%.9e\n", seconds);
    fflush(to_driver);
}

void control_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("fault: ", to_driver);
    vfprintf(to_driver, format, arguments);
    va_end(arguments);
    fputc('\n', to_driver);
    fflush(to_driver);
}
