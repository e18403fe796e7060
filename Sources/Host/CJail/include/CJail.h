#ifndef DOME_CJAIL_H
#define DOME_CJAIL_H
#endif
