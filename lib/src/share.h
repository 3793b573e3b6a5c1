/* share.h - who gets which CPUs: a function of the machine and of what each rank of
 * the node brings along.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_SHARE_H
#define PAR_SRC_SHARE_H

#include "place.h"
#include "policy.h"

/* What a rank brings along. */
typedef struct share_claim {
    int32_t rank;         /* in the world */
    int32_t chosen;       /* somebody has chosen HAVE */
    int32_t threads;      /* it has been asked to have so many; 0: as it likes */
    double quota;         /* the CPU time of its control group, in CPUs; 0: no limit */
    uint64_t quota_group; /* those of one number share that time */
    mask have;            /* the CPUs that it was started on */
    mask room;            /* those that it may be given */
    char why[PLACE_WHY];  /* who has chosen HAVE, or whose default it is; may be "" */
} share_claim;

/* Find COUNT ranks of one node, which bring CLAIMS, their PLACES: rank, mask, why,
 * and bound for those that are to be moved. M may be NULL. TEXT is the list of
 * POLICY_LIST.
 *
 * PAR_ERR_ARG     TEXT names CPUs that the node does not have, or is for fewer ranks
 * PAR_ERR_MEMORY
 */
par_error share_out(const machine *m, const share_claim *claims, int count, policy how,
                    const char *text, place *places);

#endif
