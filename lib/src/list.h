/* list.h - a doubly linked ring of nodes that live in other things.
 * SPDX-License-Identifier: MIT */
#ifndef PAR_SRC_LIST_H
#define PAR_SRC_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
    struct list_node *prev, *next;
} list_node;

/* The thing of TYPE whose MEMBER is NODE. */
#define LIST_OF(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(list_node *head)
{
    head->prev = head->next = head;
}

static inline bool list_is_empty(const list_node *head)
{
    return head->next == head;
}

/* Put NODE in front of WHERE; in front of the head is the end. */
static inline void list_insert(list_node *where, list_node *node)
{
    node->next = where;
    node->prev = where->prev;
    where->prev->next = node;
    where->prev = node;
}

static inline void list_remove(list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

#endif
