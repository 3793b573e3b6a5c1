/* orphan.c - sends that outlive their Request.
 * SPDX-License-Identifier: MIT */
#include "orphan.h"

#include "errors.h"

struct orphan {
    struct orphan *next;
    par_request *par;
    codec_out out;
};

void orphan_leave(core_state *state, par_request *par, codec_out *out)
{
    struct orphan *orphan = PyMem_Malloc(sizeof *orphan);

    if (!orphan) { /* then it has to be waited for */
        while (par_wait(&par, NULL) == PAR_ERR_INTERRUPTED)
            ;
        return;
    }
    orphan->par = par;
    codec_move(&orphan->out, out);
    orphan->next = state->orphans;
    state->orphans = orphan;
}

/* Sends that are over by now have no more to keep. */
void orphan_sweep(core_state *state)
{
    struct orphan **link = &state->orphans;

    while (*link) {
        struct orphan *orphan = *link;
        bool done;

        if (par_test(&orphan->par, NULL, &done) == PAR_OK && !done) {
            link = &orphan->next;
            continue;
        }
        *link = orphan->next;
        codec_release(&orphan->out);
        PyMem_Free(orphan);
    }
}

int orphan_finish(core_state *state)
{
    while (state->orphans) {
        size_t index, done;
        par_error err = par_wait_some(&state->orphans->par, 1, -1, &index, &done);

        if (err == PAR_ERR_INTERRUPTED) {
            errors_raise(state, err);
            return -1;
        }
        orphan_sweep(state);
    }
    return 0;
}
