.PHONY: check clean
check: lib@NAME@.so
	$(DOME) plugin check .

clean:
	rm -f lib@NAME@.so
