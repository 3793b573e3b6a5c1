/* agree.c - what all ranks must have alike.
 * SPDX-License-Identifier: MIT */
#include "agree.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "numbers.h"
#include "warning.h"
#include "wire.h"

agree_versions agree_here = {WIRE_VERSION, PAR_VERSION};

/* What a rank says; the least of each is heard. What is there twice, the second time
 * with its sign changed, differs where the two don't cancel out. Ranks of other versions
 * of par must be able to hear it: its length and the first three never change. */
enum {
    WIRE,
    WIRE_NEGATIVE,
    FAILED, /* the first rank with an error of its own */
    PAR,
    PAR_NEGATIVE,
    LANGUAGE,
    LANGUAGE_NEGATIVE,
    INLINE,
    INLINE_NEGATIVE,
    BIND,
    BIND_NEGATIVE,
    THREADS,
    THREADS_NEGATIVE,
    LEFTOVERS_NEGATIVE,
    REPORT_NEGATIVE,
    SPEAKER, /* the first rank whose warnings somebody hears */
    WORDS = 16,
};

enum { NAME_BYTES = 64, LIST_BYTES = 512 };

/* ---- several ranks, each with a name for what it runs ---------------------- */

/* 0 for no text, else positive. */
static int64_t number_of(const char *text)
{
    return text ? (int64_t)(digest_of(text, strlen(text)) >> 1 | 1) : 0;
}

static const char *name_of(const char *names, int rank)
{
    return names + rank * NAME_BYTES;
}

/* Write to RANKS which of SIZE have the name that RANK has; gives their number. */
static int find_alike(const char *names, int size, int rank, int *ranks)
{
    int count = 0;

    for (int other = 0; other < size; other++)
        if (!strcmp(name_of(names, other), name_of(names, rank)))
            ranks[count++] = other;
    return count;
}

/* Write "Python 3.11 on 0-3,8, ..." to TEXT: which of SIZE ranks have which of NAMES.
 * RANKS has room for all their numbers. */
static void write_names(const char *names, int size, int *ranks, char *text, size_t room)
{
    char list[LIST_BYTES];
    size_t used = 0;

    *text = '\0';
    for (int rank = 0; rank < size && used < room; rank++) {
        int count = find_alike(names, size, rank, ranks);

        if (*name_of(names, rank) && ranks[0] == rank)
            used += (size_t)snprintf(text + used, room - used, "%s%s on %s",
                                     used ? ", " : "", name_of(names, rank),
                                     numbers_text(ranks, count, list, sizeof list));
    }
}

/* Which ranks of ALL have which NAME, written to TEXT. */
static par_error list_names(MPI_Comm all, const char *name, char *text, size_t room)
{
    char mine[NAME_BYTES] = "", *names;
    int size, code, *ranks;

    MPI_Comm_size(all, &size);
    snprintf(mine, sizeof mine, "%s", name);
    names = calloc((size_t)size, NAME_BYTES);
    ranks = calloc((size_t)size, sizeof *ranks);
    if (!names || !ranks) {
        free(names);
        free(ranks);
        return error_memory((size_t)size * NAME_BYTES, "names of versions");
    }
    code = MPI_Allgather(mine, NAME_BYTES, MPI_CHAR, names, NAME_BYTES, MPI_CHAR, all);
    write_names(names, size, ranks, text, room);
    free(names);
    free(ranks);
    return code == MPI_SUCCESS ? PAR_OK : error_mpi(code, "MPI_Allgather");
}

/* ---- the agreement ------------------------------------------------------- */

par_error agree_on_error(par_error err, int speaker)
{
    char detail[ERROR_DETAIL_BYTES];
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(detail, sizeof detail, "%s", par_error_detail());
    MPI_Bcast(detail, sizeof detail, MPI_CHAR, speaker, MPI_COMM_WORLD);
    error_restore(detail);
    return rank == speaker ? err : PAR_ERR_ELSEWHERE;
}

par_error agree_on_outcome(par_error err)
{
    int rank, first, code;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    first = err ? rank : INT_MAX;
    code = MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    if (code != MPI_SUCCESS)
        return err ? err : error_mpi(code, "MPI_Allreduce");
    return first == INT_MAX ? PAR_OK : agree_on_error(err, first);
}

static bool differs(const int64_t *heard, int word)
{
    return heard[word] != -heard[word + 1];
}

/* Versions of par whose messages differ; all ranks know it. */
static par_error refuse_wire(void)
{
    char name[NAME_BYTES], list[LIST_BYTES];
    par_error err;

    snprintf(name, sizeof name, "%s (messages of version %d)", agree_here.par,
             agree_here.wire);
    err = list_names(MPI_COMM_WORLD, name, list, sizeof list);
    if (!err)
        err = error_set(PAR_ERR_ARG,
                        "the versions of par differ between ranks, and their messages: "
                        "%s; all ranks need the same",
                        list);
    return agree_on_error(err, 0);
}

/* WHAT, which is VALUE here, must be the same on all ranks and is not. */
static par_error refuse_option(MPI_Comm all, const char *what, const char *value)
{
    char list[LIST_BYTES];
    par_error err = list_names(all, value, list, sizeof list);

    return err ? err
               : error_set(PAR_ERR_MISMATCH,
                           "%s differs between ranks: %s; it must be the same everywhere",
                           what, list);
}

/* PAR_ERR_MISMATCH, on all ranks, where options differ between them. */
static par_error compare_options(MPI_Comm all, const int64_t *heard,
                                 const par_options *chosen)
{
    char number[NAME_BYTES];

    if (differs(heard, INLINE)) {
        snprintf(number, sizeof number, "%zu", chosen->inline_bytes);
        return refuse_option(all, "the inline limit", number);
    }
    if (differs(heard, THREADS)) {
        snprintf(number, sizeof number, "%d", chosen->threads_per_rank);
        return refuse_option(all, "the number of threads per rank", number);
    }
    if (differs(heard, BIND))
        return refuse_option(all, "PAR_BIND or bind",
                             chosen->bind ? chosen->bind : "nothing");
    return PAR_OK;
}

static par_error warn_of(const char *what, const char *name, const char *trouble)
{
    char list[LIST_BYTES], text[2 * LIST_BYTES];
    par_error err = list_names(MPI_COMM_WORLD, name, list, sizeof list);
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (err || rank != warning_speaker())
        return err;
    snprintf(text, sizeof text, "the versions of %s differ between ranks: %s; %s", what,
             list, trouble);
    warning_say(text);
    return PAR_OK;
}

static par_error warn_of_versions(const int64_t *heard, const char *language)
{
    par_error err = PAR_OK;

    if (heard[SPEAKER] == INT64_MAX)
        return PAR_OK; /* nobody would hear it */
    if (differs(heard, PAR))
        err = warn_of("par", agree_here.par, "they may work together, or not");
    if (!err && heard[LANGUAGE] != INT64_MAX && differs(heard, LANGUAGE))
        err = warn_of("the interpreter", language ? language : "",
                      "pickles and functions of one may not work in the other");
    return err;
}

static void speak(par_error err, const par_options *chosen, int64_t *said)
{
    int64_t language = number_of(chosen->language), par = number_of(agree_here.par);
    int rank;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    memset(said, 0, WORDS * sizeof *said);
    said[WIRE] = agree_here.wire;
    said[WIRE_NEGATIVE] = -said[WIRE];
    said[FAILED] = err ? rank : INT64_MAX;
    said[PAR] = par;
    said[PAR_NEGATIVE] = -par;
    said[LANGUAGE] = language ? language : INT64_MAX;
    said[LANGUAGE_NEGATIVE] = language ? -language : INT64_MAX;
    said[INLINE] = (int64_t)chosen->inline_bytes;
    said[INLINE_NEGATIVE] = -said[INLINE];
    said[BIND] = number_of(chosen->bind);
    said[BIND_NEGATIVE] = -said[BIND];
    said[THREADS] = chosen->threads_per_rank;
    said[THREADS_NEGATIVE] = -said[THREADS];
    said[LEFTOVERS_NEGATIVE] = -(int64_t)chosen->leftovers;
    said[REPORT_NEGATIVE] = -(int64_t)chosen->report;
    said[SPEAKER] = chosen->warn ? rank : INT64_MAX;
}

par_error agree_on_start(par_error err, par_options *chosen)
{
    int64_t words[WORDS];
    int code;

    speak(err, chosen, words);
    code =
        MPI_Allreduce(MPI_IN_PLACE, words, WORDS, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
    if (code != MPI_SUCCESS)
        return error_mpi(code, "MPI_Allreduce");
    warning_set(chosen->warn, words[SPEAKER] == INT64_MAX ? 0 : (int)words[SPEAKER]);
    if (differs(words, WIRE))
        return refuse_wire();
    if (words[FAILED] != INT64_MAX)
        return agree_on_error(err, (int)words[FAILED]);
    err = compare_options(MPI_COMM_WORLD, words, chosen);
    if (err)
        return agree_on_error(err == PAR_ERR_MISMATCH ? PAR_ERR_ARG : err, 0);
    chosen->leftovers = (par_leftovers)-words[LEFTOVERS_NEGATIVE];
    chosen->report = (par_report_form)-words[REPORT_NEGATIVE];
    return warn_of_versions(words, chosen->language);
}

par_error agree_on_place(MPI_Comm all, const par_options *chosen)
{
    int64_t words[WORDS];
    int code;

    speak(PAR_OK, chosen, words);
    code = MPI_Allreduce(MPI_IN_PLACE, words, WORDS, MPI_INT64_T, MPI_MIN, all);
    return code == MPI_SUCCESS ? compare_options(all, words, chosen)
                               : error_mpi(code, "MPI_Allreduce");
}
