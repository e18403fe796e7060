# Builds build/bench/client from bench/*.cc and proto/ with Debian's gRPC for C++. `make bench` calls it.

OUT := build/bench
MODULES := grpc++ protobuf
CXXFLAGS := -std=c++17 -O2 -Wall -Wextra -Werror -I$(OUT) -Ibench $(shell pkg-config --cflags $(MODULES))
GENERATED := $(OUT)/domed/v1/domed.pb.cc $(OUT)/domed/v1/domed.grpc.pb.cc
OBJECTS := $(patsubst bench/%.cc,$(OUT)/%.o,$(wildcard bench/*.cc)) $(GENERATED:.cc=.o)

$(OUT)/client: $(OBJECTS)
	$(CXX) -o $@ $^ $(shell pkg-config --libs $(MODULES)) -lpthread

$(GENERATED) &: proto/domed/v1/domed.proto
	@mkdir -p $(OUT)
	protoc -Iproto --cpp_out=$(OUT) --grpc_out=$(OUT) \
	    --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) domed/v1/domed.proto

$(OUT)/%.o: bench/%.cc bench/client.h $(GENERATED)
	$(CXX) $(CXXFLAGS) -c -o $@ $<

$(OUT)/%.o: $(OUT)/%.cc
	$(CXX) $(CXXFLAGS) -Wno-unused-parameter -c -o $@ $<
