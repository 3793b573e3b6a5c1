/* policy.c - how the CPUs of a node are given to its ranks, in words.
 * SPDX-License-Identifier: MIT */
#include "policy.h"

#include <string.h>

static const char *const names[] = {
    [POLICY_DEFAULT] = "auto",      [POLICY_AUTO] = "auto",
    [POLICY_NONE] = "none",         [POLICY_CORE] = "core",
    [POLICY_HWTHREAD] = "hwthread", [POLICY_L3] = "l3",
    [POLICY_NUMA] = "numa",         [POLICY_PACKAGE] = "package",
    [POLICY_COMPACT] = "compact",   [POLICY_SCATTER] = "scatter",
    [POLICY_LIST] = "list",
};

const char *policy_name(policy p)
{
    return names[p];
}

bool policy_parse(const char *text, policy *policy_p)
{
    *policy_p = POLICY_DEFAULT;
    if (!text)
        return true;
    for (policy p = POLICY_AUTO; p < POLICY_LIST; p++)
        if (!strcmp(text, names[p])) {
            *policy_p = p;
            return true;
        }
    *policy_p = POLICY_LIST;
    return policy_list_length(text) > 0;
}

int policy_list_length(const char *text)
{
    mask m;
    int length = 1;

    while ((text = mask_parse(&m, text, ":")) && *text) {
        length++;
        text++;
    }
    return text ? length : -1;
}

mask policy_list_entry(const char *text, int i)
{
    mask m;

    for (text = mask_parse(&m, text, ":"); i; i--)
        text = mask_parse(&m, text + 1, ":");
    return m;
}
