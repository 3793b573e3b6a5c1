/* environ.h - environment variables that are set for a while, or taken away.
 * SPDX-License-Identifier: MIT
 *
 * MPI_Init leaves variables behind that say who this process is. A program that it
 * starts would take them for its own: mpirun started from a serial script that uses
 * this library ends without a word.
 */
#ifndef PAR_SRC_ENVIRON_H
#define PAR_SRC_ENVIRON_H

/* The variables there are now; NULL where there is no memory. */
char **environ_remember(void);

/* Take away those that are not among NAMES, and free NAMES. Nothing for NULL. */
void environ_restore(char **names);

/* Take away all whose names begin with PREFIX. */
void environ_forget(const char *prefix);

#endif
