/* pool_pace.c - how long tasks take.
 * SPDX-License-Identifier: MIT
 *
 * Of those that share a function a mean and a mean deviation are kept, as TCP keeps the
 * time that its answers take (Jacobson, 1988).
 */
#include <math.h>

#include "pool_manager.h"

pool_pace *pool_pace_of(pool_manager *m, const pool_blob *blob)
{
    return blob ? blob->pace : &m->pace;
}

/* A task that a rank had to wait for its core in counts for no more than a few. */
void pool_pace_note(pool_pace *pace, double seconds)
{
    bool is_odd = seconds > 4 * pace->mean;
    double error = is_odd ? 3 * pace->mean : seconds - pace->mean;

    if (pace->count++) {
        pace->mean += error / 8;
        pace->deviation += (fabs(error) - pace->deviation) / 4;
    } else {
        pace->mean = seconds;
        pace->deviation = seconds / 2;
    }
}

double pool_pace_most(const pool_pace *pace)
{
    return pace->count ? pace->mean + 4 * pace->deviation : HUGE_VAL;
}
