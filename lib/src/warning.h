/* warning.h - what a job says that is no error.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_WARNING_H
#define PAR_SRC_WARNING_H

#include "error.h"

/* CALLBACK hears this rank's warnings from now on; NULL where nobody wants to. SPEAKER
 * is the rank that says what concerns all of them. */
void warning_set(void (*callback)(const char *text), int speaker);

/* The rank that says what concerns all of them. */
int warning_speaker(void);

/* Hand TEXT to the callback; to stderr where there is none. */
void warning_say(const char *text);

#endif
