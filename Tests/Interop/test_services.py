"""grpc.health.v1 and grpc.reflection, asked by the official clients."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "domed.v1.DomedService"


@pytest.mark.parametrize("service", ["", SERVICE, "grpc.health.v1.Health"])
def test_health_check_says_serving_for_every_service(daemon, service):
    stub = health_pb2_grpc.HealthStub(daemon.channel())
    response = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_health_check_of_an_unknown_service_is_not_found(daemon):
    stub = health_pb2_grpc.HealthStub(daemon.channel())
    with pytest.raises(grpc.RpcError) as raised:
        stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=30)
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_watch_answers_at_once_and_stays_open(daemon):
    stub = health_pb2_grpc.HealthStub(daemon.channel())
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=30)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    assert watch.is_active()
    watch.cancel()
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=30)
    assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    unknown.cancel()


def test_reflection_lists_the_services(daemon):
    database = ProtoReflectionDescriptorDatabase(daemon.channel())
    assert SERVICE in database.get_services()
    assert "grpc.health.v1.Health" in database.get_services()


def test_a_client_can_call_with_nothing_but_reflection(daemon):
    channel = daemon.channel()
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName(SERVICE).FindMethodByName("Health")
    from google.protobuf.message_factory import GetMessageClass

    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = channel.unary_unary(
        f"/{SERVICE}/Health", request_serializer=request.SerializeToString, response_deserializer=response.FromString
    )
    assert call(request(), timeout=30).status.ok


def test_reflection_of_the_newer_version_answers_the_same(daemon):
    call = daemon.channel().stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    alpha = reflection_pb2_grpc.ServerReflectionStub(daemon.channel()).ServerReflectionInfo
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="domed.v1.RpcStatus")
    [new], [old] = list(call(iter([request]), timeout=30)), list(alpha(iter([request]), timeout=10))
    assert new.file_descriptor_response.file_descriptor_proto
    assert new == old


def test_reflection_names_what_it_does_not_know(daemon):
    alpha = reflection_pb2_grpc.ServerReflectionStub(daemon.channel()).ServerReflectionInfo
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.such.Symbol")
    [response] = list(alpha(iter([request]), timeout=30))
    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert "no.such.Symbol" in response.error_response.error_message
