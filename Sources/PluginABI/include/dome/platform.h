/*
 * platform.h: what differs between compilers: the calling convention and how a symbol is exported.
 */
#ifndef DOME_PLATFORM_H
#define DOME_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The calling convention of every function that crosses. */
#if defined(_WIN32)
#define DOME_CALL __cdecl
#else
#define DOME_CALL
#endif

/* Marks the one exported symbol. Build the rest with -fvisibility=hidden. */
#if defined(_WIN32)
#define DOME_EXPORT __declspec(dllexport)
#elif defined(__GNUC__) || defined(__clang__)
#define DOME_EXPORT __attribute__((visibility("default")))
#else
#define DOME_EXPORT
#endif

#endif
