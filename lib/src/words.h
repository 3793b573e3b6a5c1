/* words.h - the last words of ranks that end the job, and notes of those that go on.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_WORDS_H
#define PAR_SRC_WORDS_H

#include "use_mpi.h"

/* This is RANK of SIZE; the ranks of NODE share a board. Collective over NODE. */
void words_open(MPI_Comm node, int rank, int size);

/* This rank ends well: it is not missed. Its note is written before. */
void words_close(void);

/* Why the job ends is said elsewhere: what signals do to the ranks of this node then is
 * not worth a word. */
void words_fail(void);

/* Say TEXT, why the job ends with status CODE, on stderr, after this rank's name, host
 * and process; TEXT may be NULL. Ranks of a node that say the same at about the same
 * time, which takes a quarter of a second to find out, say it once. Returns the status
 * of the rank that was first. */
int words_say(int code, const char *text);

/* Say TEXT, on stderr, after this rank's name, soon, and go on at once. Ranks of a node
 * that say the same at about the same time say it once. Needs the lock. */
void words_note(const char *text);

/* For a signal handler: the beginning of a line that names this rank, without a line's
 * end; and whether this is the first rank of the node to crash. */
const char *words_name(void);
bool words_crash(void);

#endif
