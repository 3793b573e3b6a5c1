/* test_deadlock.c - what looking for deadlocks costs a job of many ranks.
 * SPDX-License-Identifier: MIT
 *
 * That they are found, and nothing else, is shown by tests/failure.
 */
#include <stdatomic.h>
#include <unistd.h>

#include "ask.h"
#include "check_job.h"
#include "check_par.h"
#include "wire.h"

/* How often this rank has asked another one whether it is stuck. ask.c alone sends so. */
static atomic_long asked;

/* NOLINTNEXTLINE(readability-identifier-naming): that is how to stand in for it */
int MPI_Issend(const void *data, int count, MPI_Datatype type, int dest, int tag,
               MPI_Comm comm, MPI_Request *request)
{
    const unsigned char *kind = (const unsigned char *)data + WIRE_HEADER_BYTES;

    asked += *kind == WORD_ASK;
    return PMPI_Issend(data, count, type, dest, tag, comm, request);
}

/* How often all ranks ask while they wait for one, most of them through others. */
static int64_t ask_for(unsigned seconds)
{
    int64_t mine, all;

    asked = 0;
    if (me == 1)
        sleep(seconds);
    ck_ok(par_barrier(world));
    mine = asked;
    ck_ok(par_allreduce(world, &mine, &all, 1, PAR_INT64, PAR_SUM));
    return all;
}

/* Where the machine is slow they wait longer, to have asked at all. */
static int play_late(void)
{
    int64_t all = 0;

    check_begin();
    for (unsigned seconds = 3; !all; seconds *= 2)
        all = ask_for(seconds);
    ck_assert_int_lt(all, ranks * (ranks - 1) / 2);
    ck_ok(par_finalize());
    return 0;
}

static const check_role roles[] = {{"late", play_late}};

static int play(const char *role)
{
    return check_play(roles, sizeof roles / sizeof *roles, role);
}

START_TEST(not_every_rank_asks_every_other_because_one_is_late)
{
    check_job_ends(EXIT_SUCCESS, 32, "late");
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, not_every_rank_asks_every_other_because_one_is_late);
}

const check_program program = {"deadlock", add, .alone = true, .play = play};
