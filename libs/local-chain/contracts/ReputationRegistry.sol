// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

interface Agents {
    function ownerOf(uint256 agentId) external view returns (address);
}

/// A stand-in for the reputation registry: the same events in the same order, of all versions of the contracts, which
/// replaced one another at one address.
contract ReputationRegistry {
    event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex);
    event ResponseAppended(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        address indexed responder,
        string responseURI,
        bytes32 responseHash
    );

    bytes32 private constant NEW_FEEDBACK = keccak256(
        "NewFeedback(uint256,address,uint64,int128,uint8,string,string,string,string,string,bytes32)"
    );
    bytes32 private constant NEW_FEEDBACK_1_0_0 = keccak256(
        "NewFeedback(uint256,address,uint8,bytes32,bytes32,string,bytes32)"
    );
    bytes32 private constant NEW_FEEDBACK_1_1_0 = keccak256(
        "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,bytes32)"
    );
    bytes32 private constant NEW_FEEDBACK_1_1_1 = keccak256(
        "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,string,bytes32)"
    );

    struct Entry {
        address client;
        uint64 index;
        bool revoked;
        uint8 valueDecimals;
        int128 value;
        uint64 responses;
        string tag1;
        string tag2;
    }

    Agents private immutable identity;
    mapping(uint256 => Entry[]) private entries;
    mapping(uint256 => mapping(address => uint64)) private lastIndex;
    /// Where the feedback of a client on an agent stands in `entries`, plus one.
    mapping(uint256 => mapping(address => mapping(uint64 => uint256))) private places;

    constructor(address identityRegistry) {
        identity = Agents(identityRegistry);
    }

    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    function getIdentityRegistry() external view returns (address) {
        return address(identity);
    }

    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external {
        require(valueDecimals <= 18, "too many decimals");
        require(value >= -1e38 && value <= 1e38, "value too large");
        uint64 index = add(agentId, value, valueDecimals, tag1, tag2);
        bytes memory data = abi.encode(
            index, value, valueDecimals, tag1, tag2, endpoint, feedbackURI, feedbackHash
        );
        emitFeedback(NEW_FEEDBACK, agentId, keccak256(bytes(tag1)), data);
    }

    function giveFeedbackV100(
        uint256 agentId,
        uint8 score,
        bytes32 tag1,
        bytes32 tag2,
        string calldata feedbackUri,
        bytes32 feedbackHash
    ) external {
        add(agentId, int128(uint128(score)), 0, text(tag1), text(tag2));
        emitFeedback(NEW_FEEDBACK_1_0_0, agentId, tag1, abi.encode(score, tag2, feedbackUri, feedbackHash));
    }

    function giveFeedbackV110(
        uint256 agentId,
        uint8 score,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external {
        uint64 index = add(agentId, int128(uint128(score)), 0, tag1, tag2);
        bytes memory data = abi.encode(index, score, tag2, endpoint, feedbackURI, feedbackHash);
        emitFeedback(NEW_FEEDBACK_1_1_0, agentId, keccak256(bytes(tag1)), data);
    }

    function giveFeedbackV111(
        uint256 agentId,
        uint8 score,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external {
        uint64 index = add(agentId, int128(uint128(score)), 0, tag1, tag2);
        bytes memory data = abi.encode(index, score, tag1, tag2, endpoint, feedbackURI, feedbackHash);
        emitFeedback(NEW_FEEDBACK_1_1_1, agentId, keccak256(bytes(tag1)), data);
    }

    /// Feedback in turns on `agents` agents from `first` on, with values from 0 to 100 and indexes from `firstIndex` on.
    /// It is logged and not kept.
    function bulkFeedback(
        uint256 count,
        uint256 first,
        uint256 agents,
        uint64 firstIndex,
        string calldata tag1
    ) external {
        for (uint256 i = 0; i < count; i++) {
            uint256 agentId = first + (i % agents);
            uint64 index = firstIndex + uint64(i);
            int128 value = int128(uint128((agentId * 7 + uint256(index) * 13) % 101));
            bytes memory data = abi.encode(
                index, value, uint8(0), tag1, "", "https://agent.example/mcp", "ipfs://feedback", bytes32(i)
            );
            emitFeedback(NEW_FEEDBACK, agentId, keccak256(bytes(tag1)), data);
        }
    }

    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        Entry storage entry = find(agentId, msg.sender, feedbackIndex);
        require(!entry.revoked, "Already revoked");
        entry.revoked = true;
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
    }

    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external {
        find(agentId, clientAddress, feedbackIndex).responses++;
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return lastIndex[agentId][clientAddress];
    }

    function feedbackOf(uint256 agentId) external view returns (Entry[] memory) {
        return entries[agentId];
    }

    /// That of the agents below `agents`, by agent: for tests.
    function feedbackOfAll(uint256 agents) external view returns (Entry[][] memory all) {
        all = new Entry[][](agents);
        for (uint256 i = 0; i < agents; i++) all[i] = entries[i];
    }

    function add(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string memory tag1,
        string memory tag2
    ) private returns (uint64 index) {
        require(identity.ownerOf(agentId) != msg.sender, "Self-feedback not allowed");
        index = ++lastIndex[agentId][msg.sender];
        entries[agentId].push(Entry(msg.sender, index, false, valueDecimals, value, 0, tag1, tag2));
        places[agentId][msg.sender][index] = entries[agentId].length;
    }

    function find(uint256 agentId, address client, uint64 index) private view returns (Entry storage) {
        uint256 place = places[agentId][client][index];
        require(place > 0, "index out of bounds");
        return entries[agentId][place - 1];
    }

    /// All versions have the agent, the client and the first tag (or its hash) as topics; 11 arguments are more than one
    /// `emit` can hold.
    function emitFeedback(bytes32 topic, uint256 agentId, bytes32 tag1, bytes memory data) private {
        bytes32 client = bytes32(uint256(uint160(msg.sender)));
        assembly {
            log4(add(data, 32), mload(data), topic, agentId, client, tag1)
        }
    }

    function text(bytes32 tag) private pure returns (string memory) {
        uint256 length = 0;
        while (length < 32 && tag[length] != 0) length++;
        bytes memory bytesOfTag = new bytes(length);
        for (uint256 i = 0; i < length; i++) bytesOfTag[i] = tag[i];
        return string(bytesOfTag);
    }
}
