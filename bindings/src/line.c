/* line.c - the line of a Python program that waits.
 * SPDX-License-Identifier: MIT */
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char package[4096]; /* its folder */

void line_note_package(PyObject *module)
{
    PyObject *file = PyModule_GetFilenameObject(module);
    const char *name = file ? PyUnicode_AsUTF8(file) : NULL;
    const char *end = name ? strrchr(name, '/') : NULL;

    if (end && (size_t)(end - name) < sizeof package)
        memcpy(package, name, (size_t)(end - name));
    PyErr_Clear();
    Py_XDECREF(file);
}

/* What can be said of TEXT in one line, which is the caller's as long as TEXT is. */
static const char *utf8(PyObject *text)
{
    const char *found = PyUnicode_AsUTF8(text);

    PyErr_Clear();
    return found ? found : "?";
}

static bool is_own_file(PyObject *file)
{
    const char *name = utf8(file), *end = strrchr(name, '/');
    size_t length = strlen(package);

    return length && end && (size_t)(end - name) == length &&
           memcmp(name, package, length) == 0;
}

/* PATH, relative to the working directory if that is above it. */
static const char *shorten(const char *path)
{
    static char here[4096];
    size_t length;

    if (!here[0] && !getcwd(here, sizeof here))
        return path;
    length = strlen(here);
    return strncmp(path, here, length) == 0 && path[length] == '/' ? path + length + 1
                                                                   : path;
}

static void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static void add_line(char *text, size_t size, PyCodeObject *code, int line)
{
    add(text, size, "%s:%d", shorten(utf8(code->co_filename)), line);
}

static bool add_own_line(char *text, size_t size)
{
    PyFrameObject *frame = PyEval_GetFrame();
    bool found = false;

    Py_XINCREF(frame);
    while (frame && !found) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        PyFrameObject *back = PyFrame_GetBack(frame);

        if (!is_own_file(code->co_filename) || !back) {
            add_line(text, size, code, PyFrame_GetLineNumber(frame));
            found = true;
        }
        Py_DECREF(code);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return found;
}

/* ---- the exception that is being handled ---------------------------------- */

/* The line that has raised ERROR, if that is known. */
static void add_raised(char *text, size_t size, PyObject *error)
{
    PyObject *trace = PyException_GetTraceback(error), *line = NULL;

    while (trace && ((PyTracebackObject *)trace)->tb_next) {
        PyObject *next = Py_NewRef((PyObject *)((PyTracebackObject *)trace)->tb_next);

        Py_DECREF(trace);
        trace = next;
    }
    if (trace)
        line = PyObject_GetAttrString(trace, "tb_lineno");
    if (line) {
        PyCodeObject *code = PyFrame_GetCode(((PyTracebackObject *)trace)->tb_frame);

        add(text, size, " of ");
        add_line(text, size, code, (int)PyLong_AsLong(line));
        Py_DECREF(code);
    }
    PyErr_Clear();
    Py_XDECREF(line);
    Py_XDECREF(trace);
}

/* What ERROR was made with, up to its first end of line; str(error) might be the
 * program's own code. */
static void add_reason(char *text, size_t size, PyObject *error)
{
    PyObject *args = ((PyBaseExceptionObject *)error)->args;
    const char *reason;

    if (!args || PyTuple_GET_SIZE(args) != 1 ||
        !PyUnicode_CheckExact(PyTuple_GET_ITEM(args, 0)))
        return;
    reason = utf8(PyTuple_GET_ITEM(args, 0));
    add(text, size, ": %.*s", (int)strcspn(reason, "\n\r\t"), reason);
}

/* A character that has no room as a whole is left out. */
static void end_whole(char *text, size_t size)
{
    size_t length = strlen(text), last = length;

    if (length + 1 < size)
        return;
    while (last && ((unsigned char)text[last - 1] & 0xc0) == 0x80)
        last--;
    if (last && (unsigned char)text[last - 1] >= 0xc0)
        text[last - 1] = '\0';
}

static void add_handled(char *text, size_t size)
{
    PyObject *error = PyErr_GetHandledException();

    if (error && error != Py_None) {
        add(text, size, ", handling %s", Py_TYPE(error)->tp_name);
        add_raised(text, size, error);
        add_reason(text, size, error);
        end_whole(text, size);
    }
    Py_XDECREF(error);
}

/* An exception may be on its way already: who is interrupted in a collective call still
 * waits for what it has begun to send. */
bool line_find(void *Py_UNUSED(unused), char *text, size_t size)
{
    PyObject *kind, *value, *trace;
    bool found;

    text[0] = '\0';
    if (!PyGILState_Check())
        return false;
    PyErr_Fetch(&kind, &value, &trace);
    found = add_own_line(text, size);
    if (found)
        add_handled(text, size);
    PyErr_Restore(kind, value, trace);
    return found;
}
