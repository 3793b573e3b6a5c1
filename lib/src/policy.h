/* policy.h - how the CPUs of a node are given to its ranks, in words.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_POLICY_H
#define PAR_SRC_POLICY_H

#include "mask.h"

typedef enum policy {
    POLICY_DEFAULT, /* auto where nobody has chosen; else what was chosen */
    POLICY_AUTO,
    POLICY_NONE,
    POLICY_CORE,
    POLICY_HWTHREAD,
    POLICY_L3,
    POLICY_NUMA,
    POLICY_PACKAGE,
    POLICY_COMPACT,
    POLICY_SCATTER,
    POLICY_LIST, /* of CPUs, for each rank of a node */
} policy;

/* Which policy TEXT is, NULL being none; false where it is nonsense. */
bool policy_parse(const char *text, policy *policy_p);

/* What it may be, for messages. */
#define POLICY_WORDS                                                        \
    "auto, none, core, hwthread, l3, numa, package, compact, scatter or a " \
    "list of CPUs for each rank of a node, as 0-3:4-7"

/* The word for P. */
const char *policy_name(policy p);

/* A list: CPUs for the ranks of a node, with ':' between them. For how many ranks
 * TEXT is, -1 where it is no list; and what it has for the rank number I of them. */
int policy_list_length(const char *text);
mask policy_list_entry(const char *text, int i);

#endif
