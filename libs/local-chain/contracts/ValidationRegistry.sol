// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

/// A stand-in for the validation registry: the same events in the same order.
contract ValidationRegistry {
    event ValidationRequest(
        address indexed validatorAddress,
        uint256 indexed agentId,
        string requestURI,
        bytes32 indexed requestHash
    );
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );
    /// Contracts 1.0.0.
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseUri,
        bytes32 responseHash,
        bytes32 tag
    );

    struct Request {
        address validator;
        uint256 agentId;
    }

    mapping(bytes32 => Request) private requests;

    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external {
        require(requests[requestHash].validator == address(0), "exists");
        requests[requestHash] = Request(validatorAddress, agentId);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        uint256 agentId = check(requestHash);
        emit ValidationResponse(msg.sender, agentId, requestHash, response, responseURI, responseHash, tag);
    }

    function validationResponseV100(
        bytes32 requestHash,
        uint8 response,
        string calldata responseUri,
        bytes32 responseHash,
        bytes32 tag
    ) external {
        uint256 agentId = check(requestHash);
        emit ValidationResponse(msg.sender, agentId, requestHash, response, responseUri, responseHash, tag);
    }

    function check(bytes32 requestHash) private view returns (uint256) {
        Request storage request = requests[requestHash];
        require(request.validator == msg.sender, "not validator");
        return request.agentId;
    }
}
