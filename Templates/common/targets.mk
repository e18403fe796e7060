.PHONY: check clean
check: lib@NAME@.so
	$(DOME) plugin check .

clean:
	rm -rf lib@NAME@.so *.o declaration.h nimcache
