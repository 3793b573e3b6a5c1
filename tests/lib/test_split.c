/* test_split.c - communicators made of others: split, split by node, duplicate, MPI's;
 * free. SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check_par.h"
#include "par_mpi.h"

static par_comm *split(par_comm *comm, int color, int key)
{
    par_comm *new = (par_comm *)(void *)&world; /* to see that it is set */

    ck_ok(par_split(comm, color, key, &new));
    ck_assert_ptr_ne(new, (par_comm *)(void *)&world);
    return new;
}

static par_comm *duplicate(par_comm *comm)
{
    par_comm *new = NULL;

    ck_ok(par_duplicate(comm, &new));
    ck_assert_ptr_nonnull(new);
    return new;
}

static void end(par_comm **comm_p)
{
    ck_ok(par_comm_free(comm_p));
    ck_assert_ptr_null(*comm_p);
}

/* COMM consists of those ranks of the world, in that order, and all of its
 * functions work. */
static void check_members(par_comm *comm, const int *members, int count)
{
    int32_t mine = me, all[64], sum = 0, expected = 0;
    int rank = par_rank(comm), right = (rank + 1) % count;
    par_status status;

    ck_assert_int_eq(par_size(comm), count);
    ck_assert_int_eq(members[rank], me);
    for (int root = 0; root < count; root++) {
        ck_ok(par_gather(comm, &mine, 1, PAR_INT32, all, root));
        for (int i = 0; rank == root && i < count; i++)
            ck_assert_int_eq(all[i], members[i]);
    }
    ck_ok(par_reduce(comm, &mine, &sum, 1, PAR_INT32, PAR_SUM, count - 1));
    for (int i = 0; i < count; i++)
        expected += members[i];
    ck_assert(rank != count - 1 || sum == expected);

    ck_ok(par_send(comm, &mine, 1, PAR_INT32, right, 5));
    ck_ok(par_receive(comm, &mine, 1, PAR_INT32, PAR_ANY_SOURCE, 5, &status));
    ck_assert_int_eq(status.source, (rank + count - 1) % count);
    ck_assert_int_eq(mine, members[status.source]);
    ck_ok(par_barrier(comm));
}

/* ---- who is in it ---------------------------------------------------------- */

START_TEST(a_split_joins_those_of_one_color)
{
    par_comm *comm = split(world, me % 2, 0);
    int members[64], count = 0;

    for (int rank = me % 2; rank < ranks; rank += 2)
        members[count++] = rank;
    check_members(comm, members, count);
    end(&comm);
}
END_TEST

START_TEST(a_split_orders_by_key)
{
    /* The first rank has the largest key, over all that keys can be. */
    static const int first[] = {0, 1000000, INT_MAX}, step[] = {1, 1000000, INT_MAX / 32};

    for (int i = 0; i < 3; i++) {
        par_comm *comm = split(world, INT_MAX, first[i] - me * step[i]);
        int members[64];

        for (int rank = 0; rank < ranks; rank++)
            members[rank] = ranks - 1 - rank;
        check_members(comm, members, ranks);
        end(&comm);
    }
}
END_TEST

START_TEST(equal_keys_leave_the_order)
{
    /* The last rank first, the others as they were. */
    par_comm *comm = split(world, 0, me == ranks - 1 ? -5 : 5);
    int members[64] = {ranks - 1};

    for (int rank = 1; rank < ranks; rank++)
        members[rank] = rank - 1;
    check_members(comm, members, ranks);
    end(&comm);
}
END_TEST

START_TEST(no_color_gives_no_communicator)
{
    par_comm *comm = split(world, me ? 3 : PAR_NO_COLOR, 0);
    int members[64];

    for (int rank = 1; rank < ranks; rank++)
        members[rank - 1] = rank;
    if (me)
        check_members(comm, members, ranks - 1);
    else
        ck_assert_ptr_null(comm);
    end(&comm);
}
END_TEST

START_TEST(a_split_can_be_split_again)
{
    par_comm *outer = split(world, 0, -me);
    par_comm *inner = split(outer, par_rank(outer) / 2, 0);
    int first = par_rank(outer) / 2 * 2, members[2], count = 0;

    for (int rank = first; rank < ranks && rank < first + 2; rank++)
        members[count++] = ranks - 1 - rank;
    end(&outer);
    check_members(inner, members, count);
    end(&inner);
}
END_TEST

START_TEST(a_duplicate_has_the_same_ranks)
{
    par_comm *backwards = split(world, 0, -me);
    par_comm *copies[] = {duplicate(world), duplicate(backwards)};
    int same[64], turned[64];

    for (int rank = 0; rank < ranks; rank++) {
        same[rank] = rank;
        turned[rank] = ranks - 1 - rank;
    }
    check_members(copies[0], same, ranks);
    check_members(copies[1], turned, ranks);
    end(&copies[0]);
    end(&copies[1]);
    end(&backwards);
}
END_TEST

/* All ranks of this test run on one host. */
START_TEST(the_ranks_of_a_node_are_those_of_one_host)
{
    enum { LENGTH = 64 };
    par_comm *comm = NULL;
    char mine[LENGTH] = "", all[64][LENGTH];
    int members[64], count = 0;

    snprintf(mine, sizeof mine, "%s", par_hostname());
    ck_ok(par_allgather(world, mine, LENGTH, PAR_CHAR, all));
    for (int rank = 0; rank < ranks; rank++)
        if (!strcmp(all[rank], mine))
            members[count++] = rank;
    ck_ok(par_split_node(world, &comm));
    check_members(comm, members, count);
    end(&comm);
}
END_TEST

/* ---- apart from each other ------------------------------------------------- */

START_TEST(messages_of_communicators_never_meet)
{
    par_comm *comms[] = {world, duplicate(world), split(world, 0, -me)};
    int32_t number;
    par_status status;

    for (int i = 0; i < 3; i++) {
        int right = (par_rank(comms[i]) + 1) % ranks;

        number = 10 * me + i;
        ck_ok(par_send(comms[i], &number, 1, PAR_INT32, right, 100));
    }
    for (int i = 2; i >= 0; i--) {
        bool found;

        ck_ok(par_receive(comms[i], &number, 1, PAR_INT32, PAR_ANY_SOURCE, PAR_ANY_TAG,
                          &status));
        ck_assert_int_eq(number % 10, i);
        ck_ok(par_probe_now(comms[i], PAR_ANY_SOURCE, PAR_ANY_TAG, NULL, &found));
        ck_assert(!found);
    }
    end(&comms[1]);
    end(&comms[2]);
}
END_TEST

START_TEST(a_wait_on_one_communicator_keeps_the_others_going)
{
    enum { SIZE = 400000 };
    par_comm *first = duplicate(world), *second = duplicate(world);
    unsigned char *data = check_alloc(SIZE);
    par_request *request;

    if (me == 0) {
        check_fill(data, SIZE, 7);
        /* Ends only if the other rank receives on FIRST while it waits on SECOND. */
        ck_ok(par_send(first, data, SIZE, PAR_BYTE, 1, 1));
        ck_ok(par_send(second, NULL, 0, PAR_BYTE, 1, 1));
    } else if (me == 1) {
        ck_ok(par_receive_start(first, data, SIZE, PAR_BYTE, 0, 1, &request));
        ck_ok(par_receive(second, NULL, 0, PAR_BYTE, 0, 1, NULL));
        ck_ok(par_wait(&request, NULL));
        ck_assert(check_is_filled(data, SIZE, 7));
    }
    free(data);
    end(&first);
    end(&second);
}
END_TEST

START_TEST(ranks_are_those_of_the_communicator)
{
    par_comm *comm = split(world, me, 0);
    int64_t number = me;

    ck_assert_int_eq(par_rank(comm), 0);
    ck_assert_int_eq(par_size(comm), 1);
    ck_fails(PAR_ERR_RANK, par_send(comm, &number, 1, PAR_INT64, 1, 1));
    ck_detail("0 to 0");
    ck_fails(PAR_ERR_RANK, par_broadcast(comm, &number, 1, PAR_INT64, 1));
    ck_detail("0 to 0");
    ck_ok(par_send(comm, &number, 1, PAR_INT64, 0, 1));
    number = -1;
    ck_ok(par_receive(comm, &number, 1, PAR_INT64, 0, 1, NULL));
    ck_assert_int_eq(number, me);
    end(&comm);
}
END_TEST

/* ---- the end of it --------------------------------------------------------- */

START_TEST(communicators_can_come_and_go)
{
    for (int i = 0; i < 200; i++) {
        par_comm *comm = i % 2 ? duplicate(world) : split(world, 0, i);
        int32_t number = i;

        ck_ok(par_broadcast(comm, &number, 1, PAR_INT32, i % ranks));
        ck_assert_int_eq(number, i);
        end(&comm);
    }
}
END_TEST

START_TEST(many_communicators_can_live_side_by_side)
{
    enum { MANY = 50 };
    par_comm *comms[MANY];

    for (int i = 0; i < MANY; i++)
        comms[i] = duplicate(world);
    for (int32_t i = 0; i < MANY; i++)
        ck_ok(par_send(comms[i], &i, 1, PAR_INT32, (me + 1) % ranks, 0));
    for (int i = MANY - 1; i >= 0; i--) {
        int32_t number;

        ck_ok(par_receive(comms[i], &number, 1, PAR_INT32, PAR_ANY_SOURCE, 0, NULL));
        ck_assert_int_eq(number, i);
    }
    for (int i = 0; i < MANY; i++)
        end(&comms[i * 7 % MANY]);
}
END_TEST

/* Whoever comes first waits: what others have sent until then is there. */
START_TEST(ranks_may_come_to_the_end_at_different_times)
{
    for (int late = 0; late < ranks; late++) {
        par_comm *comm = duplicate(world);
        int32_t number = me;

        if (me == late) {
            usleep(10000);
            for (int rank = 0; rank < ranks; rank++)
                ck_ok(par_send(comm, &number, 1, PAR_INT32, rank, 1));
        }
        end(&comm);
    }
}
END_TEST

START_TEST(messages_that_nobody_received_are_dropped)
{
    par_comm *comm = duplicate(world);
    int32_t number = me;

    for (int i = 0; i < 20; i++)
        ck_ok(par_send(comm, &number, 1, PAR_INT32, (me + 1) % ranks, i));
    ck_ok(par_barrier(comm));
    end(&comm);
}
END_TEST

/* The next communicator may be given the number of the last in MPI. */
START_TEST(messages_that_nobody_received_reach_no_later_communicator)
{
    for (int32_t turn = 0; turn < 20; turn++) {
        int32_t old = 1000 + turn, got = -1;
        par_comm *comm = duplicate(world);

        for (int rank = 0; rank < ranks; rank++)
            ck_ok(par_send(comm, &old, 1, PAR_INT32, rank, 1));
        end(&comm);
        comm = duplicate(world);
        ck_ok(par_send(comm, &turn, 1, PAR_INT32, (me + 1) % ranks, 1));
        ck_ok(par_receive(comm, &got, 1, PAR_INT32, PAR_ANY_SOURCE, PAR_ANY_TAG, NULL));
        ck_assert_int_eq(got, turn);
        end(&comm);
    }
}
END_TEST

START_TEST(a_free_that_others_do_not_join_frees_nothing)
{
    par_comm *comm = duplicate(world);

    for (int odd = 0; odd < ranks; odd++) {
        par_comm *kept = comm;

        ck_fails(PAR_ERR_MISMATCH, me == odd ? par_barrier(comm) : par_comm_free(&kept));
        ck_assert_ptr_eq(kept, comm);
    }
    ck_ok(par_barrier(comm));
    end(&comm);
}
END_TEST

START_TEST(a_communicator_with_a_request_under_way_is_not_freed)
{
    par_comm *comm = duplicate(world);

    for (int busy = 0; busy < ranks; busy++) {
        par_comm *kept = comm;
        par_request *request;
        int32_t number = -1;

        if (me == busy)
            ck_ok(par_receive_start(comm, &number, 1, PAR_INT32, me, 1, &request));
        ck_fails(me == busy ? PAR_ERR_ARG : PAR_ERR_MISMATCH, par_comm_free(&kept));
        ck_assert_ptr_eq(kept, comm);
        if (me == busy) {
            ck_ok(par_send(comm, &busy, 1, PAR_INT32, me, 1));
            ck_ok(par_wait(&request, NULL));
            ck_assert_int_eq(number, busy);
        }
    }
    end(&comm);
}
END_TEST

START_TEST(the_world_cannot_be_freed)
{
    par_comm *comm = world, *none = NULL;

    ck_fails(PAR_ERR_ARG, par_comm_free(&comm));
    ck_assert_ptr_eq(comm, world);
    ck_ok(par_comm_free(&none));
    ck_ok(par_barrier(world));
}
END_TEST

/* ---- MPI ------------------------------------------------------------------- */

START_TEST(mpi_gets_a_communicator_of_its_own)
{
    par_comm *backwards = split(world, 0, -me);
    MPI_Comm mpi = MPI_COMM_NULL;
    int rank, size, sum = 0;

    ck_ok(par_to_mpi(backwards, &mpi));
    MPI_Comm_rank(mpi, &rank);
    MPI_Comm_size(mpi, &size);
    ck_assert_int_eq(rank, ranks - 1 - me);
    ck_assert_int_eq(size, ranks);
    end(&backwards);
    ck_assert_int_eq(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, mpi), MPI_SUCCESS);
    ck_assert_int_eq(sum, ranks * (ranks - 1) / 2);
    ck_assert_int_eq(MPI_Comm_free(&mpi), MPI_SUCCESS);
}
END_TEST

START_TEST(a_communicator_of_mpi_becomes_one_of_par)
{
    MPI_Comm mpi;
    par_comm *comm = NULL;
    int members[64], size;

    MPI_Comm_split(MPI_COMM_WORLD, 0, -me, &mpi);
    ck_ok(par_from_mpi(mpi, &comm));
    for (int rank = 0; rank < ranks; rank++)
        members[rank] = ranks - 1 - rank;
    check_members(comm, members, ranks);
    end(&comm);
    /* It has stayed the caller's. */
    ck_assert_int_eq(MPI_Comm_size(mpi, &size), MPI_SUCCESS);
    ck_assert_int_eq(size, ranks);
    MPI_Comm_free(&mpi);
}
END_TEST

START_TEST(fortran_handles_do_the_same)
{
    par_comm *backwards = split(world, 0, -me), *again = NULL;
    MPI_Comm mpi;
    int members[64], handle = -1;

    ck_ok(par_to_fortran(backwards, &handle));
    end(&backwards);
    mpi = MPI_Comm_f2c(handle);
    ck_ok(par_from_fortran(handle, &again));
    MPI_Comm_free(&mpi);
    for (int rank = 0; rank < ranks; rank++)
        members[rank] = ranks - 1 - rank;
    check_members(again, members, ranks);
    end(&again);
}
END_TEST

START_TEST(messages_of_mpi_and_par_never_meet)
{
    MPI_Comm mpi;
    int left = (me + ranks - 1) % ranks, right = (me + 1) % ranks, got = -1;
    MPI_Request request;
    int32_t number = me;

    ck_ok(par_to_mpi(world, &mpi));
    MPI_Isend(&me, 1, MPI_INT, right, 0, mpi, &request);
    ck_ok(par_send(world, &number, 1, PAR_INT32, right, 0));
    ck_ok(par_receive(world, &number, 1, PAR_INT32, PAR_ANY_SOURCE, PAR_ANY_TAG, NULL));
    ck_assert_int_eq(number, left);
    MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, mpi, MPI_STATUS_IGNORE);
    ck_assert_int_eq(got, left);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_free(&mpi);
}
END_TEST

/* ---- bad arguments --------------------------------------------------------- */

/* Every rank makes the same bad call, and so nobody is left behind. */
START_TEST(bad_arguments_make_nothing)
{
    static const int wrong[] = {-2, INT_MIN};
    par_comm *const before = (par_comm *)(void *)&world, *new = before;
    char value[32];

    for (int i = 0; i < 2; i++) {
        snprintf(value, sizeof value, "%d", wrong[i]);
        ck_fails(PAR_ERR_ARG, par_split(world, wrong[i], 0, &new));
        ck_detail(value);
    }
    ck_fails(PAR_ERR_ARG, par_split(NULL, 0, 0, &new));
    ck_fails(PAR_ERR_ARG, par_split_node(NULL, &new));
    ck_fails(PAR_ERR_ARG, par_duplicate(NULL, &new));
    ck_assert_ptr_eq(new, before);
    ck_fails(PAR_ERR_ARG, par_split(world, 0, 0, NULL));
    ck_fails(PAR_ERR_ARG, par_split_node(world, NULL));
    ck_fails(PAR_ERR_ARG, par_duplicate(world, NULL));
    ck_fails(PAR_ERR_ARG, par_to_mpi(world, NULL));
    ck_fails(PAR_ERR_ARG, par_to_fortran(world, NULL));
    ck_fails(PAR_ERR_ARG, par_from_mpi(MPI_COMM_NULL, &new));
    ck_fails(PAR_ERR_ARG, par_from_mpi(MPI_COMM_WORLD, NULL));
}
END_TEST

START_TEST(a_rank_that_makes_another_call_is_noticed_by_all)
{
    for (int odd = 0; odd < ranks; odd++) {
        par_comm *new = NULL;
        par_error err = me == odd ? par_barrier(world) : par_split(world, 0, 0, &new);

        ck_fails(PAR_ERR_MISMATCH, err);
        ck_assert_ptr_null(new);
    }
}
END_TEST

static void add(Suite *suite)
{
    check_add(suite, a_split_joins_those_of_one_color);
    check_add(suite, a_split_orders_by_key);
    check_add(suite, equal_keys_leave_the_order);
    check_add(suite, no_color_gives_no_communicator);
    check_add(suite, a_split_can_be_split_again);
    check_add(suite, a_duplicate_has_the_same_ranks);
    check_add(suite, the_ranks_of_a_node_are_those_of_one_host);
    check_add(suite, messages_of_communicators_never_meet);
    check_add_from(suite, 2, a_wait_on_one_communicator_keeps_the_others_going);
    check_add(suite, ranks_are_those_of_the_communicator);
    check_add(suite, communicators_can_come_and_go);
    check_add(suite, many_communicators_can_live_side_by_side);
    check_add(suite, ranks_may_come_to_the_end_at_different_times);
    check_add(suite, messages_that_nobody_received_are_dropped);
    check_add(suite, messages_that_nobody_received_reach_no_later_communicator);
    check_add_from(suite, 2, a_free_that_others_do_not_join_frees_nothing);
    check_add(suite, a_communicator_with_a_request_under_way_is_not_freed);
    check_add(suite, the_world_cannot_be_freed);
    check_add(suite, mpi_gets_a_communicator_of_its_own);
    check_add(suite, a_communicator_of_mpi_becomes_one_of_par);
    check_add(suite, fortran_handles_do_the_same);
    check_add(suite, messages_of_mpi_and_par_never_meet);
    check_add(suite, bad_arguments_make_nothing);
    check_add_from(suite, 2, a_rank_that_makes_another_call_is_noticed_by_all);
}

const check_program program = {.name = "split", .add = add};
