// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

struct MetadataEntry {
    string metadataKey;
    bytes metadataValue;
}

/// A stand-in for the identity registry: the same events in the same order, and little else. It checks only what tests need.
contract IdentityRegistry {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event MetadataUpdate(uint256 tokenId);
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);
    event MetadataSet(
        uint256 indexed agentId,
        string indexed indexedMetadataKey,
        string metadataKey,
        bytes metadataValue
    );
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);
    /// Contracts 1.0.0.
    event UriUpdated(uint256 indexed agentId, string newUri, address indexed updatedBy);

    string private constant WALLET = "agentWallet";

    struct Agent {
        address owner;
        string uri;
        bytes wallet;
    }

    uint256 public agentCount;
    mapping(uint256 => address) private owners;
    mapping(uint256 => string) private uris;
    mapping(uint256 => mapping(string => bytes)) private metadata;

    error ERC721NonexistentToken(uint256 tokenId);
    error NotTheOwner();

    modifier onlyOwnerOf(uint256 agentId) {
        if (ownerOf(agentId) != msg.sender) revert NotTheOwner();
        _;
    }

    function getVersion() external pure returns (string memory) {
        return "2.0.0";
    }

    function register() external returns (uint256 agentId) {
        agentId = mint();
        emit Registered(agentId, "", msg.sender);
        setWallet(agentId, abi.encodePacked(msg.sender));
    }

    function register(string memory agentURI) external returns (uint256) {
        return registerWith(agentURI);
    }

    function register(string memory agentURI, MetadataEntry[] memory entries) external returns (uint256 agentId) {
        agentId = registerWith(agentURI);
        for (uint256 i = 0; i < entries.length; i++) {
            writeMetadata(agentId, entries[i].metadataKey, entries[i].metadataValue);
        }
    }

    /// Contracts 1.0.0 know of no wallet.
    function registerV1(string memory agentURI, MetadataEntry[] memory entries) external returns (uint256 agentId) {
        agentId = mint();
        if (bytes(agentURI).length > 0) {
            uris[agentId] = agentURI;
            emit MetadataUpdate(agentId);
        }
        emit Registered(agentId, agentURI, msg.sender);
        for (uint256 i = 0; i < entries.length; i++) {
            writeMetadata(agentId, entries[i].metadataKey, entries[i].metadataValue);
        }
    }

    /// Many registrations; the URI of each is `head`, the agent's id in decimal, and `tail`. Only owners are kept: the less
    /// a node has to keep, the faster it makes blocks.
    function bulkRegister(uint256 count, string memory head, string memory tail) external {
        for (uint256 i = 0; i < count; i++) {
            uint256 agentId = mint();
            emit MetadataUpdate(agentId);
            emit Registered(agentId, string.concat(head, decimal(agentId), tail), msg.sender);
            emit MetadataSet(agentId, WALLET, WALLET, abi.encodePacked(msg.sender));
        }
    }

    function setAgentURI(uint256 agentId, string memory newURI) external onlyOwnerOf(agentId) {
        uris[agentId] = newURI;
        emit MetadataUpdate(agentId);
        emit URIUpdated(agentId, newURI, msg.sender);
    }

    function setAgentUri(uint256 agentId, string memory newUri) external onlyOwnerOf(agentId) {
        uris[agentId] = newUri;
        emit MetadataUpdate(agentId);
        emit UriUpdated(agentId, newUri, msg.sender);
    }

    function setMetadata(uint256 agentId, string memory key, bytes memory value) external onlyOwnerOf(agentId) {
        writeMetadata(agentId, key, value);
    }

    /// The real one wants a signature of the new wallet.
    function setAgentWallet(uint256 agentId, address wallet) external onlyOwnerOf(agentId) {
        setWallet(agentId, abi.encodePacked(wallet));
    }

    function unsetAgentWallet(uint256 agentId) external onlyOwnerOf(agentId) {
        setWallet(agentId, "");
    }

    function transferFrom(address from, address to, uint256 agentId) external onlyOwnerOf(agentId) {
        if (from != msg.sender) revert NotTheOwner();
        setWallet(agentId, "");
        owners[agentId] = to;
        emit Transfer(from, to, agentId);
    }

    function ownerOf(uint256 agentId) public view returns (address owner) {
        owner = owners[agentId];
        if (owner == address(0)) revert ERC721NonexistentToken(agentId);
    }

    function tokenURI(uint256 agentId) external view returns (string memory) {
        ownerOf(agentId);
        return uris[agentId];
    }

    function getMetadata(uint256 agentId, string memory key) external view returns (bytes memory) {
        return metadata[agentId][key];
    }

    /// All of them, in the order of their ids: for tests.
    function agents() external view returns (Agent[] memory all) {
        all = new Agent[](agentCount);
        for (uint256 i = 0; i < all.length; i++) all[i] = Agent(owners[i], uris[i], metadata[i][WALLET]);
    }

    function mint() private returns (uint256 agentId) {
        agentId = agentCount++;
        owners[agentId] = msg.sender;
        emit Transfer(address(0), msg.sender, agentId);
    }

    function registerWith(string memory agentURI) private returns (uint256 agentId) {
        agentId = mint();
        uris[agentId] = agentURI;
        emit MetadataUpdate(agentId);
        emit Registered(agentId, agentURI, msg.sender);
        setWallet(agentId, abi.encodePacked(msg.sender));
    }

    function setWallet(uint256 agentId, bytes memory value) private {
        writeMetadata(agentId, WALLET, value);
    }

    function writeMetadata(uint256 agentId, string memory key, bytes memory value) private {
        metadata[agentId][key] = value;
        emit MetadataSet(agentId, key, key, value);
    }

    function decimal(uint256 value) private pure returns (string memory) {
        if (value == 0) return "0";
        uint256 length = 0;
        for (uint256 rest = value; rest > 0; rest /= 10) length++;
        bytes memory digits = new bytes(length);
        for (uint256 rest = value; rest > 0; rest /= 10) digits[--length] = bytes1(uint8(48 + (rest % 10)));
        return string(digits);
    }
}
