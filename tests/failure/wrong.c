/* wrong.c - programs that can never end.
 * SPDX-License-Identifier: MIT
 *
 *     mpirun -np 2 wrong each_receives_first
 *
 * RANKS says how many a program wants, and "stuck:" which of them stand at that line.
 */
#include <pthread.h>

#include "program.h"

RANKS(2)
static void each_receives_first(par_comm *world)
{
    char x = 0;

    must(par_receive(world, &x, 1, PAR_CHAR, 1 - me, 7, NULL)); /* stuck: 0-1 */
    must(par_send(world, &x, 1, PAR_CHAR, 1 - me, 7));
}

RANKS(3)
static void a_ring_of_large_sends(par_comm *world)
{
    int next = (me + 1) % size;

    must(par_send(world, large, sizeof large, PAR_BYTE, next, 7)); /* stuck: 0-2 */
}

RANKS(4)
static void one_rank_leaves_the_barrier_out(par_comm *world)
{
    if (me != 2)
        must(par_barrier(world)); /* stuck: 0-1,3 */
}

RANKS(3)
static void a_receive_of_anybody_when_all_wait(par_comm *world)
{
    char x;

    if (me == 0)
        must(par_receive(world, &x, 1, PAR_CHAR, PAR_ANY_SOURCE, 1, NULL)); /* stuck: 0 */
    else
        must(par_receive(world, &x, 1, PAR_CHAR, 0, PAR_ANY_TAG, NULL)); /* stuck: 1-2 */
}

RANKS(2)
static void a_reduction_against_a_receive(par_comm *world)
{
    double one = 1, sum;

    if (me == 0)
        must(par_allreduce(world, &one, &sum, 1, PAR_DOUBLE, PAR_SUM)); /* stuck: 0 */
    else
        must(par_receive(world, &one, 1, PAR_DOUBLE, 0, 1, NULL)); /* stuck: 1 */
}

RANKS(2)
static void waits_for_what_was_started(par_comm *world)
{
    char x;
    par_request *request;

    must(par_receive_start(world, &x, 1, PAR_CHAR, 1 - me, 7, &request));
    must(par_wait(&request, NULL)); /* stuck: 0-1 */
}

RANKS(3)
static void waits_for_any_of_several(par_comm *world)
{
    char x[2];
    size_t index;
    par_request *requests[2];

    for (int i = 0; i < 2; i++)
        must(par_receive_start(world, &x[i], 1, PAR_CHAR, (me + 1 + i) % size, 7,
                               &requests[i]));
    must(par_wait_any(requests, 2, &index, NULL)); /* stuck: 0-2 */
}

RANKS(2)
static void a_receive_from_a_rank_that_has_finished(par_comm *world)
{
    char x;

    if (me == 1)
        must(par_receive(world, &x, 1, PAR_CHAR, 0, 7, NULL)); /* stuck: 1 */
}

RANKS(4)
static void crossed_barriers(par_comm *world)
{
    par_comm *twin;

    must(par_split(world, 0, 0, &twin));
    if (me < 2)
        must(par_barrier(world)); /* stuck: 0-1 */
    else
        must(par_barrier(twin)); /* stuck: 2-3 */
}

RANKS(2)
static void both_probe(par_comm *world)
{
    par_status status;

    must(par_probe(world, 1 - me, 7, &status)); /* stuck: 0-1 */
}

static par_comm *everybody;

static void *receive_in_a_thread(void *unused);

RANKS(2)
static void two_threads_of_each_wait(par_comm *world)
{
    pthread_t thread;
    char x;

    everybody = world;
    if (pthread_create(&thread, NULL, receive_in_a_thread, NULL))
        par_abort(5, NULL);
    must(par_receive(world, &x, 1, PAR_CHAR, 1 - me, 7, NULL)); /* stuck: 0-1 */
    pthread_join(thread, NULL);
}

static void *receive_in_a_thread(void *unused)
{
    char x;

    must(par_receive(everybody, &x, 1, PAR_CHAR, 1 - me, 8, NULL)); /* stuck: 0-1 */
    return unused;
}

const program programs[] = {
    PROGRAM(each_receives_first),
    PROGRAM(a_ring_of_large_sends),
    PROGRAM(one_rank_leaves_the_barrier_out),
    PROGRAM(a_receive_of_anybody_when_all_wait),
    PROGRAM(a_reduction_against_a_receive),
    PROGRAM(waits_for_what_was_started),
    PROGRAM(waits_for_any_of_several),
    PROGRAM(a_receive_from_a_rank_that_has_finished),
    PROGRAM(crossed_barriers),
    PROGRAM(both_probe),
    PROGRAM(two_threads_of_each_wait),
    {NULL, NULL},
};
