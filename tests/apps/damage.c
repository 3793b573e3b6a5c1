/* damage.c - preloaded, it damages one message: rank 1's DAMAGE_RECEIVE'th gets
 * another byte at DAMAGE_BYTE.
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

#include "par.h"

typedef par_error receive_function(par_comm *comm, void *data, size_t count,
                                   par_type type, int source, int tag,
                                   par_status *status);

par_error par_receive(par_comm *comm, void *data, size_t count, par_type type, int source,
                      int tag, par_status *status)
{
    static int calls;
    receive_function *receive = (receive_function *)dlsym(RTLD_NEXT, "par_receive");
    par_error error = receive(comm, data, count, type, source, tag, status);

    if (par_rank(comm) == 1 && ++calls == atoi(getenv("DAMAGE_RECEIVE")))
        ((unsigned char *)data)[atoi(getenv("DAMAGE_BYTE"))] ^= 1;
    return error;
}
